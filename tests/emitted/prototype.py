"""Emitted C against the brute-force evaluator of the language's prototype, which shares nothing with the compiler: every
output of every program on random data, and every entry of its gradients and Jacobians by nested dual numbers.

    prototype.py GRADC RUNTIME WORK PROGRAMS PROTOTYPE

What the evaluator does not know (some functions, most matrix functions) is skipped and named. Prints what differs and,
last, "N passed, N failed" or "N passed, N failed, N skipped"."""
import glob, itertools, os, random, re, signal, sys, threading
from calls import Model, NotYet, flat, open_models

open_models(*sys.argv[1:5])
programs, prototype = sys.argv[4:6]
sys.path.insert(0, prototype)
sys.dont_write_bytecode = True
import run

passed = failed = skipped = 0
SLOW = 10  # seconds of the processor for one program: another program beside this one changes nothing
NO_DERIVATIVES = ('b08_mnist', 'd09_ht', 'e03_forward_dynamics')  # they take far longer
NOTHING = ('d11_particle', 'd12_saddle')  # neither do values end in that time
SIZES = (3, 2, 4)


def nested(shape, draw):
    return [nested(shape[1:], draw) for _ in range(shape[0])] if shape else draw()


def subsets(L):
    members = [[c for c in range(L) if s >> c & 1] for s in range(2**L)]
    pad = lambda x: x + [0] * (L - len(x))
    return {'L': L, 'S': 2**L, 'size': [len(x) for x in members], 'col': [pad(x) for x in members],
            'less': [pad([s & ~(1 << c) for c in x]) for s, x in enumerate(members)]}


# Data that a program wants in a certain form; all other data are drawn.
SPECIAL = {
    'd04_det_subsets': lambda: subsets(3),
    'b07_acyclic': lambda: {'N': 4, 'E': 5, 'first': [0, 0, 1, 3, 5], 'from': [0, 0, 1, 1, 2]},
    'b11_convolution': lambda: {'H': 4, 'W': 3, 'K': 2, 'F': 2},
    'd09_ht': lambda: {'parent': [-1, 0, 0, 2, 3, 4, 0, 6, 7, 8, 0, 10, 11, 12, 0, 14, 15, 16, 0, 18, 19, 20]},
    'd11_particle': lambda: {'start': 0.0},
    'd12_saddle': lambda: {'start': [1.0, 1.0]},
    'd05_ode': lambda: {'N': 3, 'S': 2},
}


def data_for(name, source):
    """A checked unit, sizes for its open dimensions, and data for all that it is given."""
    given = SPECIAL[name]() if name in SPECIAL else {}
    probe = run.model(source, {})
    u = probe.u
    until = {d.text for d in u.until}
    sizes = itertools.cycle(SIZES)
    for d in u.dims:
        if d not in u.fixed and d not in until and d not in given:
            given[d] = next(sizes)
    at = run.Frame(u, {}, {d: given[d] for d in u.dims if d in given})
    for x in u.arrays.values():
        if x.role not in ('input', 'param') or x.name in given:
            continue
        shape = [at.size(s) for s in x.shape]
        if isinstance(x.type, tuple):
            top = at.size(x.type[1])
            draw = lambda: random.randrange(top)
        elif x.type == 'int':
            draw = lambda: random.randrange(3)
        elif x.type == 'bool':
            draw = lambda: random.randrange(2)
        else:
            draw = lambda: random.randrange(300, 1200) / 1024  # exact in float too
        given[x.name] = nested(shape, draw)
    return given


def entries(f, name):
    return list(itertools.product(*(range(f.size(s)) for s in f.u.arrays[name].shape)))


def derivative(f, y, at_y, x, at_x):
    tag = next(run.tags)
    g = run.Frame(f.u, f.given, f.dims)
    g.over[x] = lambda i: run.Dual(tag, f.value(x, i), 1.0 if i == at_x else 0.0)
    return run.split(g.value(y, at_y), tag)[1]


def number(v):
    return float(run.plain(v))


def compare(title, got, want, tolerance):
    global passed, failed
    scale = max((abs(w) for w in want), default=0)
    off = max((abs(g - w) for g, w in zip(got, want)), default=0)
    good = len(got) == len(want) and all(g == g for g in got) and off <= tolerance * max(scale, 1e-3)
    passed, failed = passed + good, failed + (not good)
    if not good:
        print('%s: off by %.2g of %.2g, %d and %d numbers' % (title, off, scale, len(got), len(want)))


def late(*_):
    raise TimeoutError('more than %d seconds' % SLOW)


def try_program(name, source):
    given = data_for(name, source)
    f = run.model(source, given)
    for d in f.u.dims:
        if d in given:
            f.dims[d] = given[d]
    m = Model(name)
    near = {x: 1e-6 if t == 'float' else 1e-9 for t, _, x in m.fields}
    outputs = [x.name for x in f.u.arrays.values() if x.role == 'output']
    want = {y: [number(f.value(y, i)) for i in entries(f, y)] for y in outputs}
    got = m.call('value', given, {y: len(want[y]) for y in outputs})
    for y in outputs:
        compare('%s: %s' % (name, y), [float(v) for v in got[y]], want[y], near[y])
    if name in NO_DERIVATIVES:
        raise TimeoutError('derivatives take more than %d seconds' % SLOW)
    text = re.sub(r'//.*', '', open(source).read())
    fields = {x for _, _, x in m.fields}
    for kind, y, by in re.findall(r'derive (gradient|jacobian)\((\w+); ([^)]*)\)', text):
        by = [x.strip() for x in by.split(',')]
        forms = ('{x}_grad', '{x}_{y}_grad') if kind == 'gradient' else ('{y}_{x}',)
        names = {x: next((n for n in (s.format(x=x, y=y) for s in forms) if n in fields), None) for x in by}
        functions = ('value_and_gradient', 'value_and_gradient_' + y, 'gradient_%s_value_and_gradient' % y) if kind == 'gradient' else ('jacobian', 'jacobian_' + y)
        function = next((n for n in functions if hasattr(m.library, m.name + '_' + n)), None)
        if not function or None in names.values():
            raise RuntimeError('no function for %s of %s among %s' % (kind, y, sorted(fields)))
        rows = entries(f, y)
        want = {x: [number(derivative(f, y, r, x, e)) for r in rows for e in entries(f, x)] for x in by}
        got = m.call(function, given, {names[x]: len(want[x]) for x in by})
        for x in by:
            compare('%s: %s of %s by %s' % (name, kind, y, x), got[names[x]], want[x], near[names[x]])


def main():
    global skipped, failed
    signal.signal(signal.SIGVTALRM, late)
    for source in sorted(glob.glob(os.path.join(programs, '*.grad'))):
        name = os.path.basename(source)[:-5]
        if name in NOTHING:
            print('skipped, the evaluator is too slow for %s' % name)
            skipped += 1
            continue
        random.seed(name)
        signal.setitimer(signal.ITIMER_VIRTUAL, SLOW)
        try:
            try_program(name, source)
        except NotYet:
            print('skipped, not yet: %s' % name)
            skipped += 1
        except (NotImplementedError, KeyError, TypeError, TimeoutError, RecursionError, StopIteration) as what:
            print('skipped, the evaluator does not reach %s: %s' % (name, what))
            skipped += 1
        except (RuntimeError, AttributeError, AssertionError, IndexError) as what:
            print('%s: %s' % (name, what))
            failed += 1
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)


main()
print('%d passed, %d failed' % (passed, failed) + (', %d skipped' % skipped if skipped else ''))
sys.exit(failed > 0)
