"""Emitted models, called from Python through ctypes. calls.open_models(GRADC, RUNTIME, WORK, PROGRAMS) comes first."""
import ctypes, os, re, subprocess

gradc = runtime = work = programs = None


def open_models(*at):
    global gradc, runtime, work, programs
    gradc, runtime, work, programs = at


C_TYPES = {'int64_t': ctypes.c_int64, 'int32_t': ctypes.c_int32, 'uint8_t': ctypes.c_uint8, 'double': ctypes.c_double, 'float': ctypes.c_float}


class NotYet(Exception):
    pass


def flat(x):
    return [z for y in x for z in flat(y)] if isinstance(x, list) else [x]


class Model:
    """A program as C functions; the struct of arguments is read from the emitted header."""

    def __init__(self, name, size=None):
        base, source = os.path.join(work, name), os.path.join(programs, name + '.grad')
        if size: # of the dimension that the source fixes
            base += str(size)
            text = re.sub(r'(dim \w+ = )\d+;', r'\g<1>%d;' % size, open(source).read())
            source = base + '.grad'
            open(source, 'w').write(text)
        made = subprocess.run([gradc, '-o', base + '.c', '--model=' + name, source], capture_output=True, text=True)
        if 'not yet' in made.stderr:
            raise NotYet(name)
        if made.returncode:
            raise RuntimeError(made.stderr)
        subprocess.run(['cc', '-std=c99', '-Og', '-shared', '-fPIC', '-I' + runtime, '-o', base + '.so', base + '.c', '-lm'], check=True)
        header = open(base + '.h').read()
        body = re.search(r'typedef struct %s_args \{\n(.*?)\n\} %s_args;' % (name, name), header, re.S).group(1)
        self.fields = re.findall(r'^ *(?:const )?(\w+) (\*?)(\w+);', body, re.M)
        self.args = type('Args', (ctypes.Structure,), {'_fields_': [(f, ctypes.c_void_p if star else C_TYPES[t]) for t, star, f in self.fields]})
        self.name, self.library = name, ctypes.CDLL(os.path.abspath(base + '.so'))

    def call(self, function, given, sizes):
        """`given`: inputs and dimensions by name; `sizes`: entries of each array to be filled. Returns those arrays."""
        a, keep, out = self.args(), [], {}
        for t, star, f in self.fields:
            if not star:
                setattr(a, f, given.get(f, 0))
            elif f in given or f in sizes:
                values = flat(given[f]) if f in given else [float('nan') if t != 'int32_t' else -1] * sizes[f]
                array = (C_TYPES[t] * max(1, len(values)))(*values)
                keep.append(array)
                setattr(a, f, ctypes.cast(array, ctypes.c_void_p).value)
                if f in sizes:
                    out[f] = array
        request = re.sub(r'_?(value|(value_and_gradient))$', '', function)
        size = getattr(self.library, self.name + ('_' + request if request else '') + '_workspace')
        size.restype, size.argtypes = ctypes.c_size_t, [ctypes.c_void_p]
        bytes_ = size(ctypes.addressof(a))
        if bytes_ > 2**40:
            raise RuntimeError('%s: sizes are refused' % self.name)
        room = ctypes.create_string_buffer(bytes_ + 64)
        start = (ctypes.addressof(room) + 63) // 64 * 64
        f = getattr(self.library, self.name + '_' + function)
        f.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
        status = f(ctypes.addressof(a), start)
        if status:
            raise RuntimeError('%s_%s returns %d' % (self.name, function, status))
        return {k: list(v)[:sizes[k]] for k, v in out.items()}
