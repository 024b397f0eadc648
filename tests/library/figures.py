#!/usr/bin/env python3
"""What the functions of the library must give, by textbook formulas in many digits (mpmath).

    figures.py LIBRARY OUT [FILE ...]     LIBRARY: the folder compiler/library; FILE: losses, densities ...

For each file of the library it writes OUT/FILE.grad, a model for each function, and OUT/FILE.txt, the cases; and for FILE uses
OUT/uses.txt, those of tests/library/*_use.grad. The formulas here
are written down a second time, as they stand in books, without any care for overflow or cancellation: there are digits enough.
Derivatives are central differences in the same digits. So nothing is shared with the library but the names.

A result comes with its condition, the sum of abs(x * d result / d x) over all arguments: no computation with rounded numbers can do
better than some units in the last place of that. For the change of the gradient along a direction, that counts as an argument too. `parts` adds to these, for a result, a gradient and its
change: the size of what a good formula still is a difference of. A case of a function whose arguments are exact says less (see `ulps`).
"""
import re
import struct
import sys
from mpmath import mp, mpf, psi, exp, log, sqrt, tanh, sin, cos, erf, pi, loggamma, fabs, fsum, floor, inf

FUNCTIONS = {}  # name: Function


class Function:
    def __init__(self, **parts):
        self.__dict__.update(parts)


def function(name, formula, cases, digits=700, ulps=(4, 4), check='', parts=lambda **_: (0, 0), second=True, by=None):
    """`cases`: dicts of arguments; besides, 'double': only there; 'ulps'; 'grad': {argument: entries} where differences would not
    give the convention at a kink; 'status'; 'seed': the cotangent of the result; 'second': whether the second derivatives are looked
    at along a direction."""
    FUNCTIONS[name] = Function(formula=formula, digits=digits, ulps=ulps, check=check, cases=cases, parts=parts, second=second, by=by)


def one_float(x):
    return struct.unpack('f', struct.pack('f', x))[0]


def exact(x, double):
    """The number that float and double both hold."""
    if isinstance(x, (list, tuple)):
        return [exact(y, double) for y in x]
    if isinstance(x, (bool, int)):
        return x
    return x if double else one_float(x)


def shape(x):
    return (len(x),) + shape(x[0]) if isinstance(x, list) else ()


def flat(x):
    return [z for y in x for z in flat(y)] if isinstance(x, list) else [x]


def unflat(values, like):
    if not isinstance(like, list):
        return next(values)
    return [unflat(values, y) for y in like]


def head_of(text, name):
    m = re.search(r'^fn ' + name + r'\((.*?)\)\s+-> (.*?) \{', text, re.M | re.S)
    arguments = []
    depth, start, inner = 0, 0, m.group(1)
    for k, c in enumerate(inner + ','):
        depth += (c == '[') - (c == ']')
        if c == ',' and depth == 0:
            arguments.append(inner[start:k].strip())
            start = k + 1
    return [thing(a) for a in arguments], thing(m.group(2).strip())


def thing(text):
    m = re.fullmatch(r'(\w+) (\w+)(?:\[(.*)\])?(?: : (\w+))?', text)
    return m.group(1), m.group(2), [s.strip() for s in m.group(3).split(',')] if m.group(3) else [], m.group(4)


def model(name, arguments, result, check):
    """The model: the function once, and the gradient of the sum of its entries, each times a number of `seed`; and how the gradient
    changes along a direction."""
    dims = []
    for _, _, axes, target in arguments:
        for a in axes + ([target] if target else []):
            dims += [d for d in re.findall(r'[A-Za-z_]\w*', a) if d not in dims]
    out, axes = result[1], result[2]
    index = ['i%d' % k for k in range(len(axes))]
    at = '[%s]' % ', '.join(index) if axes else ''
    lines = ['// check: %s' % check] if check else []
    lines += ['model %s {' % name]
    lines += ['  dim %s;' % ', '.join(dims)] if dims else []
    for kind, arg, size, target in arguments:
        lines.append('  input %s %s%s%s;' % (kind, arg, '[%s]' % ', '.join(size) if size else '', ' : ' + target if target else ''))
    shaped = '[%s]' % ', '.join(axes) if axes else ''
    if axes:
        lines.append('  input real seed%s;' % shaped)
        lines.append('  real %s%s;' % (out, shaped))
    lines.append('  %s%s = %s(%s)%s;' % (out, at, name, ', '.join(a[1] for a in arguments), at))
    by = ', '.join(a[1] for a in arguments if a[0] == 'real')
    if axes:
        lines.append('  total = sum[%s](seed%s * %s%s);' % (', '.join(index), at, out, at))
        lines.append('  output %s, total;' % out)
    else:
        lines.append('  output %s;' % out)
    lines.append('  derive gradient(%s; %s);' % ('total' if axes else out, by))
    lines.append('  derive hvp(%s; %s);' % ('total' if axes else out, by))
    return '\n'.join(lines + ['}']) + '\n'


def number(x):
    return repr(float(x)) if isinstance(x, float) else str(int(x))


def digits(x):
    return mp.nstr(x, 25, min_fixed=-5, max_fixed=20)


class Difference:
    """A function of the real arguments as one flat list, and what differences say of it."""

    def __init__(self, f, case, names, seed):
        self.f, self.case, self.names, self.seed = f, case, names, seed

    def value(self, flat_list):
        it = iter(flat_list)
        args = dict(self.case)
        for n in self.names:
            args[n] = unflat(it, self.case[n])
        return [mpf(y) for y in flat(self.f(**args))]

    def total(self, x):
        return fsum(s * y for s, y in zip(self.seed, self.value(x)))

    def step(self, x):
        return (fabs(x) if x else mpf(1)) * mpf(10) ** -(mp.dps // 4)

    def move(self, x, k, h):
        return x[:k] + [x[k] + h] + x[k + 1:]

    def gradient(self, x, steps=None):
        out = []
        for k in range(len(x)):
            h = steps[k] if steps else self.step(x[k])
            out.append((self.total(self.move(x, k, h)) - self.total(self.move(x, k, -h))) / (2 * h))
        return out

    def along(self, x, d):
        """How the gradient changes along d."""
        h, steps = mpf(10) ** -(mp.dps // 4), [self.step(y) for y in x]
        up, down = [self.gradient([a + s * b for a, b in zip(x, d)], steps) for s in (h, -h)]
        return [(u - v) / (2 * h) for u, v in zip(up, down)]

    def condition(self, g, x):
        """Of each entry of g(x): sum of abs(x_k * d g / d x_k)."""
        total = [mpf(0)] * len(g(x))
        for k in range(len(x)):
            if x[k] == 0:
                continue
            h = self.step(x[k])
            up, down = g(self.move(x, k, h)), g(self.move(x, k, -h))
            total = [t + fabs(x[k] * (u - d) / (2 * h)) for t, u, d in zip(total, up, down)]
        return total


def direction(x):
    """A direction, exact in float where x is, and of the size of x: so derivatives along it are of a size that can be told."""
    return [(1, -0.5, 0.25, -2, 0.5)[k % 5] * (y if y else 1.0) for k, y in enumerate(x)]


def write_case(out, f, case, arguments, result):
    double = case.get('double', False)
    plain = {a[1]: exact(case[a[1]], double) for a in arguments}
    reals = [a[1] for a in arguments if a[0] == 'real']
    names = reals if f.by is None else f.by
    wide = {n: unflat(iter([mpf(x) if n in reals else x for x in flat(v)]), v) for n, v in plain.items()}
    out.append('case double' if double else 'case')
    ulps = case.get('ulps', f.ulps)
    sizes = {}
    for _, n, axes, target in arguments:
        for a, size in zip(axes, shape(plain[n])):
            if re.fullmatch(r'[A-Za-z_]\w*', a):
                sizes[a] = size
    sizes.update(case.get('sizes', {}))
    out += ['%s %d' % s for s in sizes.items()]
    for n, v in plain.items():
        out.append('%s %s' % (n, ' '.join(number(x) for x in flat(v))))
    if case.get('status'):
        out.append('status ' + case['status'])
        return
    value = f.formula(**wide)
    many = flat(value)
    part, parts, curved = (f.parts(**wide) + (0,))[:3]
    seed = case.get('seed', [1.0] if not result[2] else [((7 * k) % 5 - 1.75) / 2 for k in range(len(many))])
    if result[2] and names:
        out.append('seed ' + ' '.join(number(s) for s in seed))
    out.append('ulps %s %s' % ulps)
    d = Difference(f.formula, wide, names, [mpf(s) for s in seed])
    x = flat([wide[n] for n in names])
    out.append('= %s %s' % (result[1], ' '.join(digits(mpf(v)) + ':' + digits(c + part) for v, c in zip(many, d.condition(d.value, x)))))
    if not names:
        return
    kink = set(names) <= set(case.get('grad', {}))
    second = case.get('second', f.second) and len(x) <= 12
    along = direction(x)
    ahead = unflat(iter(along), [wide[n] for n in names])
    for n, a in zip(names, ahead if second else []):
        out.append('%s_d %s' % (n, ' '.join(number(float(y)) for y in flat(a))))
    if kink:
        gradient = stiff = x  # all are given
    else:
        gradient, stiff = d.gradient(x), d.condition(d.gradient, x)
    at = 0
    for n in names:
        size = len(flat(wide[n]))
        entries, conditions = gradient[at:at + size], stiff[at:at + size]
        given = case.get('grad', {}).get(n)
        if given is not None:
            entries, conditions = [mpf(g) for g in given], [mpf(0)] * size
        out.append('= %s_grad %s' % (n, ' '.join(digits(v) + ':' + digits(c + parts) for v, c in zip(entries, conditions))))
        at += size
    if not second:
        return
    if 'grad' in case:  # a kink: finite is all that can be said
        curve, stiff, sizes = [mpf(0)] * len(x), [mpf('1e4000')] * len(x), [1]
    else:
        columns = [d.along(x, [a * (j == k) for j in range(len(x))]) for k, a in enumerate(along)]
        noise = mpf(10) ** -(mp.dps // 2 - 10)
        sizes = [fabs(h / a) for a, c in zip(along, columns) for b, h in zip(along, c) if fabs(b * h) > noise] or [1]
        curve = [fsum(c[k] for c in columns) for k in range(len(x))]
        more = (parts + curved) * (1 + max(map(abs, along)))
        stiff = [c + more + fsum(fabs(e[k]) for e in columns) for k, c in enumerate(d.condition(lambda y: d.along(y, along), x))]
    out.append('hessian %s %s' % (digits(mpf(min(sizes))), digits(mpf(max(sizes)))))
    at = 0
    for n in names:
        size = len(flat(wide[n]))
        out.append('= %s_hd %s' % (n, ' '.join(digits(v) + ':' + digits(c) for v, c in zip(curve[at:at + size], stiff[at:at + size]))))
        at += size


def write_file(library, folder, name):
    text = open('%s/%s.grad' % (library, name)).read()
    functions = re.findall(r'^fn (\w+)', text, re.M)
    models, cases = [], []
    for f in functions:
        if f not in FUNCTIONS:
            sys.exit('figures.py has no formula for %s' % f)
        arguments, result = head_of(text, f)
        models.append(model(f, arguments, result, FUNCTIONS[f].check))
        cases.append('model ' + f)
        for case in FUNCTIONS[f].cases:
            mp.dps = case.get('digits', FUNCTIONS[f].digits)
            write_case(cases, FUNCTIONS[f], case, arguments, result)
    made = 'Made by tests/library/figures.py.\n'
    with open('%s/%s.grad' % (folder, name), 'w') as out:
        out.write('// %suse "gradc/%s.grad";\n\n%s' % (made, name, '\n'.join(models)))
    with open('%s/%s.txt' % (folder, name), 'w') as out:
        out.write('# %s%s\n' % (made, '\n'.join(cases)))


# ---- vectors

def dot(a, b):
    return fsum(x * y for x, y in zip(a, b))


def length(a):
    return sqrt(dot(a, a))


def minus(a, b):
    return [x - y for x, y in zip(a, b)]


def crossed(a, b):
    return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]


def times(A, B):
    return [[fsum(A[i][k] * B[k][j] for k in range(len(B))) for j in range(len(B[0]))] for i in range(len(A))]


def applied(A, x):
    return [dot(row, x) for row in A]


def turned(A):
    return [list(c) for c in zip(*A)]


A23, A33 = [[0.5, -2.0, 3.0], [1.25, 0.75, -1.5]], [[2.0, -1.0, 0.5], [0.25, 3.0, -2.0], [1.0, 0.0, 4.0]]
function('dot', dot, [dict(a=[1.0, -2.5, 3.0], b=[0.25, 4.0, -1.5]), dict(a=[0.0, 1e-20], b=[1e15, 1e-15])])
function('norm', length, [
    dict(a=[3.0, -4.0]), dict(a=[0.1, 0.0, -0.7]), dict(a=[1e30, -2e30, 0.0]), dict(a=[1e-30, 3e-30]), dict(a=[-2.5]),
    dict(a=[1e-200, 1e-201], double=True), dict(a=[3e200, 4e200], double=True), dict(a=[0.0, 0.0], grad=dict(a=[0, 0]))], parts=lambda a: (0, 0, 1))
function('distance', lambda a, b: length(minus(a, b)), [
    dict(a=[1.0, 2.0], b=[4.0, -2.0]), dict(a=[1e30, 0.0], b=[0.0, 1e30]), dict(a=[1.5, 2.5], b=[1.5, 2.5], grad=dict(a=[0, 0], b=[0, 0]))])
function('unit', lambda a: [x / length(a) if any(a) else mpf(0) for x in a], [
    dict(a=[3.0, -4.0, 1.0]), dict(a=[1e-30, 2e-30]), dict(a=[-1e30, 1e30, 1e28]), dict(a=[0.0, 0.0], grad=dict(a=[0, 0]))])
function('cross', crossed, [dict(a=[1.0, 2.0, 3.0], b=[-4.0, 0.5, 6.0]), dict(a=[1.0, 0.0, 0.0], b=[0.0, 1.0, 0.0])])
function('matvec', lambda A, x: applied(A, x), [dict(A=A23, x=[1.0, -1.0, 0.5])])
function('matmul', lambda A, B: times(A, B), [dict(A=A23, B=A33)])
function('transpose', lambda A: turned(A), [dict(A=A23)])
function('trace', lambda A: fsum(A[i][i] for i in range(len(A))), [dict(A=A33)])
function('quadratic', lambda A, x: dot(x, applied(A, x)), [dict(A=A33, x=[0.5, -1.0, 2.0])])

# ---- losses


def softmax(v):
    s = fsum(exp(x) for x in v)
    return [exp(x) / s for x in v]


def log_sum(v):
    return log(fsum(exp(x) for x in v))


def sigmoid(x):
    return 1 / (1 + exp(-x))


def huber(r, d):
    return r * r / 2 if fabs(r) <= d else d * (fabs(r) - d / 2)


SCORES = [[0.5, -1.0, 2.0], [0.0, 1000.0, 1.0], [-1000.0, -1000.0, -1000.0], [1000.0, -1000.0, 999.0], [3.0], [1e-8, 0.0]]
EXTREME = [0.0, 1.0, -1.0, 0.5, -2.75, 1e-8, -1e-8, 20.0, -20.0, 100.0, -100.0, 1000.0, -1000.0]
rows = [dict(v=v) for v in SCORES]
function('softmax', lambda v: softmax(v), rows, parts=lambda v: (0, 0, 1))
function('log_softmax', lambda v: [x - log_sum(v) for x in v], rows)
function('cross_entropy', lambda v, y: log_sum(v) - v[y], [dict(v=v, y=k % len(v)) for k, v in enumerate(SCORES)] + [dict(v=SCORES[1], y=0)])
function('cross_entropy_with', lambda v, q: -fsum(a * (x - log_sum(v)) for a, x in zip(q, v)), [
    dict(v=SCORES[0], q=[0.25, 0.25, 0.5]), dict(v=SCORES[1], q=[0.5, 0.5, 0.0]), dict(v=SCORES[3], q=[0.0, 0.0, 1.0])])
function('binary_cross_entropy', lambda v, y: -log(sigmoid(v) if y else 1 - sigmoid(v)),
         [dict(v=x, y=y) for x in EXTREME for y in (0, 1)], parts=lambda **_: (0, 1))
function('binary_cross_entropy_with', lambda v, q: -q * log(sigmoid(v)) - (1 - q) * log(1 - sigmoid(v)),
         [dict(v=x, q=q) for x in EXTREME for q in (0.0, 0.25, 1.0)], parts=lambda **_: (0, 1))
function('squared_error', lambda a, b: dot(minus(a, b), minus(a, b)) / 2, [dict(a=[1.0, 2.0], b=[0.5, -3.0]), dict(a=[7.0], b=[7.0])])
function('absolute_error', lambda a, b: fsum(map(fabs, minus(a, b))), [
    dict(a=[1.0, 2.0, -1.0], b=[0.5, -3.0, 4.0]), dict(a=[7.0, 1.0], b=[7.0, 3.0], grad=dict(a=[0, -1], b=[0, 1]))])
function('huber', huber, [dict(r=r, d=d) for r in (0.0, 0.3, -0.3, 5.0, -5.0, 1e10, -1e-10) for d in (1.0, 0.25)] +
         [dict(r=1.0, d=1.0, grad=dict(r=[1], d=[0])), dict(r=-0.25, d=0.25, grad=dict(r=[-0.25], d=[0]))])
function('log_cosh', lambda r: log((exp(r) + exp(-r)) / 2), [dict(r=r) for r in EXTREME + [0.99, 1.01, -0.999]], ulps=(6, 2), parts=lambda r: (0, 0, 1))
function('quantile_loss', lambda r, t: t * r if r > 0 else (t - 1) * r, [
    dict(r=r, t=t) for r in (2.0, -3.0, 1000.0) for t in (0.1, 0.5, 0.9)] + [dict(r=0.0, t=0.25, grad=dict(r=[-0.75], t=[0]))])
function('hinge', lambda v, y: max(mpf(0), 1 - (v if y else -v)), [
    dict(v=v, y=y) for v in (0.0, 0.5, -0.5, 3.0, -3.0, 1000.0, -1000.0) for y in (0, 1)] + [dict(v=1.0, y=1, grad=dict(v=[0])),
                                                                                            dict(v=-1.0, y=0, grad=dict(v=[0]))])
function('multiclass_hinge', lambda v, y: max(mpf(0), 1 + max(x for k, x in enumerate(v) if k != y) - v[y]), [
    dict(v=[1.0, 2.5, 0.5], y=0), dict(v=[1.0, 2.5, 0.5], y=1), dict(v=[1.0, 1.5, 0.5], y=1), dict(v=[1000.0, -1000.0], y=1),
    dict(v=[2.0, 2.0, 0.0], y=2, grad=dict(v=[1, 0, -1])), dict(v=[1.0, 2.0], y=1, grad=dict(v=[0, 0])), dict(v=[1.0], y=0, status='empty')])
function('kl', lambda p, q: fsum(a * log(a / b) for a, b in zip(p, q) if a > 0), [
    dict(p=[0.5, 0.25, 0.25], q=[0.125, 0.375, 0.5]), dict(p=[1.0, 1e-30], q=[0.5, 1e-35]), dict(p=[0.25, 0.75], q=[0.25, 0.75]),
    dict(p=[0.0, 1.0], q=[0.0, 0.5], grad=dict(p=[0, log(mpf(2)) + 1], q=[0, -2])),
    dict(p=[0.0, 1.0], q=[0.5, 0.5], grad=dict(p=[0, log(mpf(2)) + 1], q=[0, -2]))], check='--set p=uniform(0.1,1) --set q=uniform(0.1,1)')
function('kl_by_logits', lambda u, v: fsum(p * log(p / q) for p, q in zip(softmax(u), softmax(v))), [
    dict(u=[0.5, -1.0, 2.0], v=[1.0, 0.0, -1.0]), dict(u=[0.0, 1000.0], v=[1.0, 2.0]), dict(u=[1.0, 2.0], v=[0.0, 1000.0]),
    dict(u=[-1000.0, 1000.0, 3.0], v=[1000.0, -1000.0, 3.0])], digits=3000, ulps=(4, 6))
function('kl_normal', lambda m, s, n, t: log(t / s) + (s * s + (m - n) ** 2) / (2 * t * t) - mpf(1) / 2, [
    dict(m=0.5, s=2.0, n=-1.0, t=3.0), dict(m=0.0, s=1.0, n=0.0, t=1.0), dict(m=0.0, s=1e-30, n=1e-30, t=1.0), dict(m=1.0, s=1.0, n=1.0, t=1e10),
    dict(m=0.0, s=1.0, n=0.0, t=1.0001), dict(m=0.0, s=1e10, n=3.0, t=1.0), dict(m=0.0, s=1e-300, n=0.0, t=1.0, double=True)],
    check='--set s=uniform(0.3,3) --set t=uniform(0.3,3)')
function('kl_standard_normal', lambda m, log_s: (m * m + exp(2 * log_s) - 1) / 2 - log_s, [
    dict(m=0.5, log_s=1.0), dict(m=0.0, log_s=0.0), dict(m=-2.0, log_s=-1000.0), dict(m=0.0, log_s=1e-4), dict(m=1e10, log_s=20.0)],
         parts=lambda m, log_s: (fabs(log_s), 0))
function('l2', lambda w: dot(w, w) / 2, [dict(w=[1.0, -2.0, 0.5]), dict(w=[0.0])])
function('l1', lambda w: fsum(map(fabs, w)), [dict(w=[1.0, -2.0, 0.5]), dict(w=[0.0, -3.0], grad=dict(w=[0, -1]))])

# ---- activations


def tails(**_):
    """Where an activation bends into a line, its second derivative is a difference of numbers of the size of 1."""
    return 0, 0, 1


def each(name, formula, more=(), ulps=(4, 4), check='', **fixed):
    function(name, formula, [dict(x=x, **fixed) for x in EXTREME] + list(more), ulps=ulps, check=check, parts=tails)


each('log_sigmoid', lambda x: log(sigmoid(x)))
function('logit', lambda p: log(p / (1 - p)), [dict(p=p) for p in (0.5, 0.25, 0.75, 0.1, 0.9, 0.51, 1e-20, 1 - 2.0 ** -20, 0.2499, 0.7501)] +
         [dict(p=1e-300, double=True), dict(p=0.5 + 2.0 ** -40, double=True)], check='--set p=uniform(0.05,0.95)')
each('gelu', lambda x: x * (1 + erf(x / sqrt(mpf(2)))) / 2, [dict(x=-37.0, double=True)], ulps=(6, 4))
each('gelu_tanh', lambda x: x * (1 + tanh(sqrt(2 / pi) * (x + mpf('0.044715') * x ** 3))) / 2,
     [dict(x=30.0), dict(x=-30.0), dict(x=-31.0), dict(x=1e30), dict(x=-1e30), dict(x=-12.0, double=True)], ulps=(6, 6))
each('silu', lambda x: x * sigmoid(x))
function('swish', lambda x, b: x * sigmoid(b * x), [dict(x=x, b=b) for x in EXTREME for b in (1.0, 0.0, -2.0, 0.25)], parts=tails)
each('mish', lambda x: x * tanh(log(1 + exp(x))), ulps=(6, 4))
function('elu', lambda x, a: x if x > 0 else a * (exp(x) - 1), [dict(x=x, a=1.5) for x in EXTREME if x] + [
    dict(x=0.0, a=1.5, grad=dict(x=[1.5], a=[0])), dict(x=1e-30, a=0.5), dict(x=-1e-30, a=0.5)])
SELU = mpf('1.0507009873554805'), mpf('1.6732632423543773')
function('selu', lambda x: SELU[0] * (x if x > 0 else SELU[1] * (exp(x) - 1)), [dict(x=x) for x in EXTREME if x] + [
    dict(x=0.0, grad=dict(x=[SELU[0] * SELU[1]]))])
function('leaky_relu', lambda x, a: x if x > 0 else a * x, [dict(x=x, a=0.125) for x in EXTREME if x] + [dict(x=0.0, a=0.125, grad=dict(x=[0.125]))])
function('relu6', lambda x: min(max(x, mpf(0)), mpf(6)), [dict(x=x) for x in EXTREME if x] + [dict(x=0.0, grad=dict(x=[0])), dict(x=6.0, grad=dict(x=[0]))])
each('softsign', lambda x: x / (1 + fabs(x)), [dict(x=1e30), dict(x=-1e-30), dict(x=1e200, double=True)])
function('hard_tanh', lambda x: min(max(x, mpf(-1)), mpf(1)), [dict(x=x) for x in EXTREME if abs(x) != 1] + [
    dict(x=1.0, grad=dict(x=[0])), dict(x=-1.0, grad=dict(x=[0]))])
HALF = mpf(1) / 2
function('hard_sigmoid', lambda x: min(max(x / 6 + HALF, mpf(0)), mpf(1)), [dict(x=x) for x in EXTREME] + [
    dict(x=3.0, grad=dict(x=[0])), dict(x=-3.0, grad=dict(x=[0]))])
function('hard_swish', lambda x: x * min(max(x / 6 + HALF, mpf(0)), mpf(1)), [dict(x=x) for x in EXTREME] + [
    dict(x=3.0, grad=dict(x=[1])), dict(x=-3.0, grad=dict(x=[0]))])

# ---- densities: with the gamma functions, fewer digits are enough


def normal(x, mu, s):
    return -((x - mu) / s) ** 2 / 2 - log(s) - log(2 * pi) / 2


def log_beta(a, b):
    return loggamma(a) + loggamma(b) - loggamma(a + b)


def multi(a):
    return fsum(map(loggamma, a)) - loggamma(fsum(a))


def by_cholesky(x, mu, L):
    z = []
    for i in range(len(x)):
        z.append((x[i] - mu[i] - fsum(L[i][j] * z[j] for j in range(i))) / L[i][i])
    return -dot(z, z) / 2 - fsum(log(L[i][i]) for i in range(len(x))) - len(x) * log(2 * pi) / 2


def rising(a):
    """psi(a): the size of what digamma_rise subtracts where a < 10."""
    return fabs(psi(0, a)) if a < 10 else 1 / a


positive = '--set s=uniform(0.3,3)'
function('normal_lpdf', normal, [
    dict(x=0.5, mu=-1.0, s=2.0), dict(x=1.0, mu=1.0, s=1e-30), dict(x=1e-20, mu=0.0, s=1e-20), dict(x=1000.0, mu=-1000.0, s=1.0),
    dict(x=0.0, mu=0.0, s=1e30), dict(x=1.0, mu=0.0, s=1e-150, double=True), dict(x=3.0, mu=3.0, s=1e-300, double=True)], check=positive)
function('normal_lpdf_by_log', lambda x, mu, log_s: normal(x, mu, exp(log_s)), [
    dict(x=0.5, mu=-1.0, log_s=0.75), dict(x=1.0, mu=1.0, log_s=-40.0), dict(x=2.0, mu=1.0, log_s=1000.0)] +
    [dict(x=1.0, mu=1.0, log_s=-300.0, double=True)], check='--set log_s=uniform(-2,2)')
function('normal_cdf', lambda x: (1 + erf(x / sqrt(mpf(2)))) / 2, [dict(x=x) for x in EXTREME + [-12.0]] + [dict(x=-37.0, double=True)], ulps=(4, 4))
CHOLESKY = [[2.0, 9.0, 9.0], [-0.5, 0.25, 9.0], [1.0, 3.0, 1.5]]
function('normal_lpdf_by_cholesky', by_cholesky, [
    dict(x=[1.0, -2.0, 0.5], mu=[0.25, 0.5, -1.0], L=CHOLESKY), dict(x=[2.0], mu=[1.0], L=[[1e-10]]),
    dict(x=[1000.0, -1000.0], mu=[0.0, 0.0], L=[[1e3, 0.0], [1.0, 1e-3]])], check='--set L=uniform(0.5,2)')


def by_covariance(x, mu, S):
    n = len(x)
    full = mp.matrix([[S[max(i, j)][min(i, j)] for j in range(n)] for i in range(n)])
    r = mp.matrix(minus(x, mu))
    return -(r.T * mp.inverse(full) * r)[0] / 2 - log(mp.det(full)) / 2 - n * log(2 * pi) / 2


COVARIANCE = [[4.0, 9.0, 9.0], [-1.0, 0.5, 9.0], [2.0, 0.25, 6.0]]
function('normal_lpdf_by_covariance', by_covariance, [
    dict(x=[1.0, -2.0, 0.5], mu=[0.25, 0.5, -1.0], S=COVARIANCE), dict(x=[2.0], mu=[1.0], S=[[1e-10]]),
    dict(x=[1000.0, -1000.0], mu=[0.0, 0.0], S=[[1e6, 0.0], [1.0, 1e-3]]), dict(x=[1.0, 2.0], mu=[0.0, 0.0], S=[[1.0, 0.0], [1.0, 1.0]], status='not_positive_definite')],
    digits=100, check='--data=tests/library/covariance.json')
function('lognormal_lpdf', lambda x, mu, s: normal(log(x), mu, s) - log(x), [
    dict(x=2.0, mu=0.5, s=1.5), dict(x=1e-30, mu=0.0, s=10.0), dict(x=1e30, mu=70.0, s=0.25), dict(x=1e-300, mu=0.0, s=100.0, double=True)],
    check='--set x=uniform(0.3,4) ' + positive)
function('exponential_lpdf', lambda x, rate: log(rate) - rate * x, [
    dict(x=2.0, rate=0.5), dict(x=0.0, rate=1e-30), dict(x=1e-30, rate=1e30)], check='--set x=uniform(0,4) --set rate=uniform(0.3,4)')
function('laplace_lpdf', lambda x, mu, b: -fabs(x - mu) / b - log(2 * b), [
    dict(x=2.0, mu=0.5, b=1.5), dict(x=-1000.0, mu=1000.0, b=0.25), dict(x=1.0, mu=1.0, b=1e-30, second=False, grad=dict(x=[0], mu=[0], b=[-1 / mpf(one_float(1e-30))]))],
    check='--set b=uniform(0.3,3)')
function('log1p_square', lambda t: log(1 + t * t), [dict(t=t) for t in EXTREME + [1e30, -1e-15, 0.99]] + [dict(t=1e300, double=True)])


def cauchy(x, mu, s):
    return -log(pi * s * (1 + ((x - mu) / s) ** 2))


function('tail_share', lambda t: t * t / (1 + t * t), [dict(t=t) for t in EXTREME + [1e30, 1e-15, 0.99, -1.5]] + [dict(t=1e200, double=True)])
function('cauchy_lpdf', cauchy, [
    dict(x=2.0, mu=0.5, s=1.5), dict(x=1.0, mu=0.0, s=1e-30), dict(x=1e30, mu=0.0, s=1.0), dict(x=0.0, mu=0.0, s=1e30)], check=positive)


def student(x, nu, mu, s):
    return loggamma((nu + 1) / 2) - loggamma(nu / 2) - log(nu * pi) / 2 - log(s) - (nu + 1) / 2 * log(1 + ((x - mu) / s) ** 2 / nu)


function('student_t_lpdf', student, [
    dict(x=2.0, nu=3.0, mu=0.5, s=1.5), dict(x=0.25, nu=1e10, mu=0.0, s=1.0), dict(x=1.0, nu=0.125, mu=0.0, s=1e-25), dict(x=-1.0, nu=30.0, mu=1.0, s=0.5),
    dict(x=1.0, nu=2.0, mu=0.0, s=1e-200, double=True), dict(x=3.0, nu=1e6, mu=0.0, s=1.0), dict(x=0.5, nu=1.0, mu=0.5, s=2.0)],
    digits=150, parts=lambda nu, **_: (1, rising(nu / 2) + 1 / nu), check='--set nu=uniform(1,30) ' + positive)
LARGE = [dict(a=a) for a in (10.0, 12.5, 30.0, 1000.0, 1e10)]
function('stirling_rest', lambda a: loggamma(a) - (a - mpf(1) / 2) * log(a) + a - log(2 * pi) / 2, LARGE, digits=150, check='--set a=uniform(10,20)')
function('digamma_rest', lambda a: psi(0, a) - log(a), LARGE, digits=150, check='--set a=uniform(10,20)')
PAIRS = [(0.5, 2.5), (3.0, 3.0), (10.0, 10.0), (9.5, 1000.0), (1000.0, 9.5), (1e6, 2e6), (0.5, 1e10), (1e10, 0.25), (1e-20, 1e-20), (25.0, 11.0)]
function('digamma_rise', lambda a, b: psi(0, a + b) - psi(0, a), [dict(a=a, b=b, double=a < 1e-10) for a, b in PAIRS],
         digits=150, parts=lambda a, b: (rising(a), 0), check='--set a=uniform(0.5,20) --set b=uniform(0.5,20)')
function('log_beta', log_beta, [dict(a=a, b=b) for a, b in PAIRS],
         digits=150, parts=lambda a, b: (fabs(loggamma(min(a, 10))) + fabs(loggamma(min(b, 10))), rising(a) + rising(b)), check='--set a=uniform(0.5,20) --set b=uniform(0.5,20)')
RISES = [(0.5, 3.0), (3.0, 0.0), (9.5, 7.25), (10.0, 4.0), (1e6, 3.0), (1e10, 0.5), (20.0, 1e6), (1e-10, 2.0), (25.0, 0.0)]
function('log_rising', lambda a, k: loggamma(a + k) - loggamma(a), [dict(a=a, k=k) for a, k in RISES if k] + [
    dict(a=a, k=k, grad=dict(a=[0], k=[psi(0, mpf(a))])) for a, k in RISES if not k],
    digits=150, parts=lambda a, k: (1 + fabs(loggamma(min(a, 10))) + k, rising(a) + 1), check='--set a=uniform(0.5,20) --set k=uniform(0.5,9)')
function('deviance', lambda k, m: k * log(k / m) + m - k, [
    dict(k=2.0, m=5.0), dict(k=5.0, m=5.0), dict(k=1e6, m=1.001e6), dict(k=1e-20, m=3.0), dict(k=7.0, m=1e-20), dict(k=1e10, m=1e10 + 2048)],
    digits=150, ulps=(4, 4), parts=lambda k, m: (fabs(k - m), 0), check='--set k=uniform(0.5,9) --set m=uniform(0.5,9)')


def gamma(x, a, b):
    return a * log(b) - loggamma(a) + (a - 1) * log(x) - b * x


function('gamma_lpdf', gamma, [
    dict(x=2.0, a=3.0, b=0.5), dict(x=1e-20, a=0.5, b=1.0), dict(x=100.0, a=100.0, b=1.0), dict(x=1000.0, a=1e6, b=1001.0), dict(x=1e-10, a=20.0, b=1e10),
    dict(x=3.0, a=1.0, b=2.0)], digits=150, parts=lambda x, a, b: (1 + fabs(b * x - a), fabs(psi(0, a)) + a / b + a / x), check='--set x=uniform(0.3,4) --set a=uniform(0.5,15) --set b=uniform(0.3,4)')
function('beta_lpdf', lambda x, a, b: (a - 1) * log(x) + (b - 1) * log(1 - x) - log_beta(a, b), [
    dict(x=0.25, a=2.0, b=3.5), dict(x=1e-20, a=0.5, b=1.0), dict(x=0.5, a=1e6, b=1e6), dict(x=0.75, a=30.0, b=10.0), dict(x=0.5, a=1.0, b=1.0)],
    digits=150, parts=lambda x, a, b: (fabs(log_beta(a, b)) + 1, rising(a) + rising(b) + fabs(log(x)) + fabs(log(1 - x))),
    check='--set x=uniform(0.1,0.9) --set a=uniform(0.5,15) --set b=uniform(0.5,15)')
MANY = [[0.5, 1.5, 3.0], [1.0, 1.0], [1e6, 2e6, 1e6], [1e10, 0.5], [2.5], [1e-10, 1e-10, 30.0]]


def many_parts(a):
    return 1 + fsum(fabs(loggamma(min(x, 10))) for x in a), 1 + fsum(map(rising, a))


function('log_multi_beta', multi, [dict(a=a) for a in MANY], digits=150, parts=many_parts, check='--set a=uniform(0.5,15)')
WEIGHTS = [[0.25, 0.25, 0.5], [1e-20, 1.0], [0.25, 0.5, 0.25], [1.0, 1e-10], [1.0], [0.25, 0.25, 0.5]]
function('dirichlet_lpdf', lambda p, a: fsum((y - 1) * log(x) for x, y in zip(p, a)) - multi(a), [dict(p=p, a=a, second=min(p) > 1e-19) for p, a in zip(WEIGHTS, MANY)],
         digits=150, parts=lambda p, a: many_parts(a), check='--set p=uniform(0.1,0.9) --set a=uniform(0.5,15)')
function('dirichlet_lpdf_by_log', lambda log_p, a: fsum((y - 1) * x for x, y in zip(log_p, a)) - multi(a), [
    dict(log_p=[float(log(x)) for x in p], a=a) for p, a in zip(WEIGHTS, MANY)] + [dict(log_p=[-1000.0, 0.0], a=[2.0, 3.0])],
    digits=150, parts=lambda log_p, a: many_parts(a), check='--set a=uniform(0.5,15)')
function('categorical_lpmf_by_logits', lambda y, v: v[y] - log_sum(v), [dict(y=k % len(v), v=v) for k, v in enumerate(SCORES)])
function('bernoulli_lpmf', lambda y, p: log(p if y else 1 - p), [dict(y=y, p=p) for y in (0, 1) for p in (0.25, 1e-20, 0.75, 1 - 2.0 ** -20)],
         check='--set p=uniform(0.1,0.9)')
function('bernoulli_lpmf_by_logit', lambda y, v: log(sigmoid(v) if y else 1 - sigmoid(v)), [dict(y=y, v=v) for v in EXTREME for y in (0, 1)],
         parts=lambda **_: (0, 1))


def binomial(k, n, v):
    return loggamma(n + 1) - loggamma(k + 1) - loggamma(n - k + 1) + k * log(sigmoid(v)) + (n - k) * log(1 - sigmoid(v))


function('binomial_lpmf_by_logit', binomial, [dict(k=k, n=n, v=v) for k, n, v in (
    (3, 10, 0.5), (0, 5, -2.0), (5, 5, 100.0), (0, 0, 1.0), (500000, 1000000, 0.0), (7, 1000000, -12.0), (2, 3, -100.0), (20, 35, 0.25))],
    digits=150, ulps=(6, 6), parts=lambda k, n, v: (fabs(log_beta(mpf(k + 1), mpf(n - k + 1))) + 25, n), check='--set k=2 --set n=7')
def beta_binomial(k, n, a, b):
    return log(mp.binomial(n, k)) + log_beta(k + a, n - k + b) - log_beta(a, b)


function('beta_binomial_lpmf', beta_binomial, [dict(k=k, n=n, a=a, b=b) for k, n, a, b in (
    (3, 10, 0.5, 2.5), (0, 5, 1.0, 1.0), (5, 5, 20.0, 0.25), (0, 0, 1.0, 3.0), (30, 100, 3e8, 7e8), (7, 3000, 12.0, 9.0), (2, 3, 1e-5, 1e-5))],
    digits=150, ulps=(6, 6), parts=lambda k, n, a, b: (25 + n * log(a + b + n), rising(a) + rising(b) + n / (a + b)),
    check='--set k=2 --set n=7 --set a=uniform(0.5,15) --set b=uniform(0.5,15)')
function('poisson_lpmf', lambda k, rate: k * log(rate) - rate - loggamma(mpf(k + 1)), [dict(k=k, rate=rate) for k, rate in (
    (0, 0.5), (3, 2.5), (9, 1e-10), (10, 10.0), (1000000, 1000500.0), (2000000000, 2e9), (100, 1.0), (0, 1e6), (20, 1e-20))],
    digits=150, parts=lambda k, rate: (1 + fabs(k - rate) + fabs(loggamma(min(mpf(k + 1), 10))), 0), check='--set k=3 --set rate=uniform(0.5,9)')
function('poisson_lpmf_by_log', lambda k, log_rate: k * log_rate - exp(log_rate) - loggamma(mpf(k + 1)), [
    dict(k=k, log_rate=l) for k, l in ((0, 0.5), (3, -2.5), (9, -1000.0), (1000, 7.0), (0, 20.0))], digits=800,
    parts=lambda k, log_rate: (loggamma(mpf(k + 1)), exp(log_rate) + k), check='--set k=3')

# ---- layers and cells


def table(seed, *size):
    """Numbers without a pattern, the same each time, exact in float."""
    count = [seed * 7919 + 13]

    def make(axes):
        if axes:
            return [make(axes[1:]) for _ in range(axes[0])]
        count[0] = (count[0] * 48271 + 11) % 2147483647
        return (count[0] % 65536 - 32768) / 16384.0

    return make(size)


def add(*rows):
    return [fsum(c) for c in zip(*rows)]


def scaled(a, x):
    return [a * y for y in x]


def attention(q, k, v, ahead=True):
    out = []
    for t in range(len(q)):
        seen = len(k) if ahead else t + 1
        w = softmax([dot(q[t], k[s]) / sqrt(mpf(len(q[t]))) for s in range(seen)])
        out.append([fsum(w[s] * v[s][e] for s in range(seen)) for e in range(len(v[0]))])
    return out


def heads(x, z, Q, K, V, O, ahead=True):
    a = [attention(times(x, turned(Q[h])), times(z, turned(K[h])), times(z, turned(V[h])), ahead) for h in range(len(Q))]
    return [[fsum(O[p][h][e] * a[h][t][e] for h in range(len(Q)) for e in range(len(O[0][0]))) for p in range(len(O))] for t in range(len(x))]


def layer_norm(x, g, b, eps):
    m = fsum(x) / len(x)
    v = fsum((y - m) ** 2 for y in x) / len(x)
    return [h * (y - m) / sqrt(v + eps) + c for y, h, c in zip(x, g, b)]


few = dict(digits=80)
function('dense', lambda x, W, b: add(applied(W, x), b), [dict(x=table(1, 3), W=table(2, 2, 3), b=table(3, 2))], **few)
function('layer_norm', layer_norm, [
    dict(x=table(1, 5), g=table(2, 5), b=table(3, 5), eps=1e-5), dict(x=[1000.0, 1000.25, 999.5], g=[1.0, 2.0, -1.0], b=[0.5, 0.0, 0.25], eps=1e-5),
    dict(x=[1e15, -1e15], g=[1.0, 1.0], b=[0.0, 0.0], eps=1e-5), dict(x=[3.0], g=[2.0], b=[1.0], eps=0.125)], check='--set eps=uniform(0.1,1)',
         parts=lambda x, g, b, eps: (0, max(map(fabs, g)) / sqrt(fsum((y - fsum(x) / len(x)) ** 2 for y in x) / len(x) + eps)), **few)
function('rms_norm', lambda x, g, eps: [y * h / sqrt(dot(x, x) / len(x) + eps) for y, h in zip(x, g)], [
    dict(x=table(1, 5), g=table(2, 5), eps=1e-5), dict(x=[0.0, 0.0], g=[1.0, 2.0], eps=1e-5), dict(x=[1e15, -1e15], g=[1.0, 1.0], eps=1e-5, second=False)],
    check='--set eps=uniform(0.1,1)', **few)
function('batch_norm', lambda x, m, v, g, b, eps: [h * (y - n) / sqrt(w + eps) + c for y, n, w, h, c in zip(x, m, v, g, b)], [
    dict(x=table(1, 3), m=table(2, 3), v=[0.5, 0.0, 2.0], g=table(3, 3), b=table(4, 3), eps=1e-5)],
    check='--set v=uniform(0.1,2) --set eps=uniform(0.1,1)', **few)
function('glu', lambda a, b: [x * sigmoid(y) for x, y in zip(a, b)], [dict(a=table(1, 4), b=table(2, 4)), dict(a=[1.0, -2.0], b=[1000.0, -1000.0])])
function('attention', attention, [
    dict(q=table(1, 2, 3), k=table(2, 4, 3), v=table(3, 4, 2)), dict(digits=900, q=[[1000.0], [-1000.0]], k=[[1.0], [0.5]], v=[[2.0], [-3.0]])],
         ulps=(4, 8), parts=lambda **_: (0, 1), **few)
function('causal_attention', lambda q, k, v: attention(q, k, v, False), [
    dict(q=table(1, 3, 2), k=table(2, 3, 2), v=table(3, 3, 2)), dict(digits=900, q=[[1000.0], [-1000.0]], k=[[1.0], [0.5]], v=[[2.0], [-3.0]])],
         ulps=(4, 8), parts=lambda **_: (0, 1), **few)
function('multi_head_attention', heads, [
    dict(x=table(1, 2, 3), z=table(2, 3, 2), Q=table(3, 2, 2, 3), K=table(4, 2, 2, 2), V=table(5, 2, 1, 2), O=table(6, 2, 2, 1))], ulps=(4, 8), parts=lambda **_: (0, 1), **few)
function('multi_head_causal_attention', lambda x, Q, K, V, O: heads(x, x, Q, K, V, O, False), [
    dict(x=table(1, 3, 2), Q=table(3, 2, 2, 2), K=table(4, 2, 2, 2), V=table(5, 2, 1, 2), O=table(6, 2, 2, 1))], ulps=(4, 8), parts=lambda **_: (0, 1), **few)


def gates(x, h, W, U, b):
    return [add(applied(W[g], x), applied(U[g], h), b[g]) for g in range(len(W))]


def lstm(x, s, W, U, b):
    i, f, o, c = gates(x, s[0], W, U, b)
    memory = [sigmoid(p) * m + sigmoid(q) * tanh(r) for p, m, q, r in zip(f, s[1], i, c)]
    return [[sigmoid(p) * tanh(m) for p, m in zip(o, memory)], memory]


def gru(x, h, W, U, b):
    r = map(sigmoid, add(applied(W[0], x), applied(U[0], h), b[0]))
    z = map(sigmoid, add(applied(W[1], x), applied(U[1], h), b[1]))
    new = [tanh(a + g * c) for a, g, c in zip(add(applied(W[2], x), b[2]), r, applied(U[2], h))]
    return [g * a + (1 - g) * c for g, a, c in zip(z, h, new)]


function('rnn_cell', lambda x, h, W, U, b: [tanh(y) for y in add(applied(W, x), applied(U, h), b)], [
    dict(x=table(1, 3), h=table(2, 2), W=table(3, 2, 3), U=table(4, 2, 2), b=table(5, 2)),
    dict(digits=700, x=[1000.0], h=[0.5], W=[[1.0]], U=[[-2.0]], b=[0.0])], parts=lambda **_: (0, 1), **few)
function('gru_cell', gru, [
    dict(x=table(1, 3), h=table(2, 2), W=table(3, 3, 2, 3), U=table(4, 3, 2, 2), b=table(5, 3, 2)),
    dict(digits=700, x=[1000.0], h=[0.5], W=[[[1.0]], [[-1.0]], [[1.0]]], U=[[[1.0]], [[1.0]], [[1.0]]], b=[[0.0], [0.0], [0.0]])], parts=lambda **_: (0, 1000), **few)
function('lstm_cell', lstm, [
    dict(x=table(1, 3), s=table(2, 2, 2), W=table(3, 4, 2, 3), U=table(4, 4, 2, 2), b=table(5, 4, 2)),
    dict(digits=700, x=[1000.0], s=[[0.5], [0.25]], W=[[[1.0]], [[-1.0]], [[1.0]], [[0.0]]], U=[[[1.0]]] * 4, b=[[0.0]] * 4)], parts=lambda **_: (0, 1000), **few)

# ---- convolution


def conv1d(x, k):
    return [[fsum(f[c][a] * x[c][i + a] for c in range(len(x)) for a in range(len(f[0]))) for i in range(len(x[0]) - len(f[0]) + 1)] for f in k]


def conv2d(x, k):
    H, W, A, B = len(x[0]), len(x[0][0]), len(k[0][0]), len(k[0][0][0])
    return [[[fsum(f[c][a][b] * x[c][i + a][j + b] for c in range(len(x)) for a in range(A) for b in range(B)) for j in range(W - B + 1)]
             for i in range(H - A + 1)] for f in k]


def window(size, start, n):
    return [p for p in range(size) if start <= p < start + n]


def conv2d_at(x, k, i, j):
    return fsum(k[c][p - i][q - j] * x[c][p][q] for c in range(len(x)) for p in window(len(x[0]), i, len(k[0])) for q in window(len(x[0][0]), j, len(k[0][0])))


def cells(x, i, j, m, n):
    return [x[p][q] for p in window(len(x), i, m) for q in window(len(x[0]), j, n)]


function('conv1d', conv1d, [dict(x=table(1, 2, 6), k=table(2, 3, 2, 3)), dict(x=table(1, 1, 3), k=table(2, 1, 1, 3))], **few)
function('conv2d', conv2d, [dict(x=table(1, 2, 4, 5), k=table(2, 2, 2, 2, 3))], **few)
function('conv1d_at', lambda x, k, i: fsum(k[c][p - i] * x[c][p] for c in range(len(x)) for p in window(len(x[0]), i, len(k[0]))), [
    dict(x=table(1, 2, 5), k=table(2, 2, 3), i=i) for i in (-4, -3, -1, 0, 2, 3, 5)], **few)
function('conv2d_at', conv2d_at, [dict(x=table(1, 2, 3, 4), k=table(2, 2, 2, 3), i=i, j=j) for i, j in ((0, 0), (-1, -1), (2, 3), (1, 1), (-5, 0))], **few)
X5, X34 = table(1, 5), table(2, 3, 4)
function('max_pool1d_at', lambda x, i, n: max(x[p] for p in window(len(x), i, n)), [dict(x=X5, i=i, n=n) for i, n in ((0, 2), (-1, 3), (3, 9), (2, 1))] + [
    dict(x=X5, i=5, n=2, status='empty'), dict(x=X5, i=0, n=0, status='empty'), dict(x=[1.0, 3.0, 3.0], i=0, n=3, grad=dict(x=[0, 1, 0]))], check='--set i=1 --set n=2', **few)
function('mean_pool1d_at', lambda x, i, n: fsum(x[p] for p in window(len(x), i, n)) / len(window(len(x), i, n)), [
    dict(x=X5, i=i, n=n) for i, n in ((0, 2), (-1, 3), (3, 9), (2, 1))] + [dict(x=X5, i=5, n=2, status='empty')], check='--set i=1 --set n=2', **few)
SQUARES = ((0, 0, 2, 2), (-1, -1, 2, 2), (1, 2, 5, 5), (2, 0, 1, 3))
function('max_pool2d_at', lambda x, i, j, m, n: max(cells(x, i, j, m, n)), [dict(x=X34, i=i, j=j, m=m, n=n) for i, j, m, n in SQUARES] + [
    dict(x=X34, i=3, j=0, m=2, n=2, status='empty')], check='--set i=0 --set j=1 --set m=2 --set n=2', **few)
function('mean_pool2d_at', lambda x, i, j, m, n: fsum(cells(x, i, j, m, n)) / len(cells(x, i, j, m, n)), [
    dict(x=X34, i=i, j=j, m=m, n=n) for i, j, m, n in SQUARES] + [dict(x=X34, i=3, j=0, m=2, n=2, status='empty')],
    check='--set i=0 --set j=1 --set m=2 --set n=2', **few)

# ---- rotations


def skew(a):
    return [[mpf(0), -a[2], a[1]], [a[2], mpf(0), -a[0]], [-a[1], a[0], mpf(0)]]


EYE = [[mpf(i == j) for j in range(3)] for i in range(3)]


def sinc(s):
    return mp.sin(sqrt(s)) / sqrt(s) if s else mpf(1)  # mp.sin: of a square that is moved below 0 too


def cosc(s):
    return (1 - mp.cos(sqrt(s))) / s if s else mpf(1) / 2


def real_part(f):
    return lambda s: mp.re(f(s))


def rotation(r):
    """exp(skew(r)): another formula than the library's."""
    if not any(r):
        return EYE
    t = length(r)
    n = [x / t for x in r]
    return [[mp.cos(t) * EYE[i][j] + mp.sin(t) * skew(n)[i][j] + (1 - mp.cos(t)) * n[i] * n[j] for j in range(3)] for i in range(3)]


def about(axis, angle):
    return rotation([angle * (k == axis) for k in range(3)])


def product(p, q):
    """As 2 x 2 complex matrices."""
    def matrix(a):
        return [[mp.mpc(a[0], a[1]), mp.mpc(a[2], a[3])], [mp.mpc(-a[2], a[3]), mp.mpc(a[0], -a[1])]]
    m = [[sum(matrix(p)[i][k] * matrix(q)[k][j] for k in range(2)) for j in range(2)] for i in range(2)]
    return [m[0][0].real, m[0][0].imag, m[0][1].real, m[0][1].imag]


def by_quaternion(q, v):
    """q v q* and, off length 1, what the formula of the library says, since derivatives look there."""
    u = q[1:]
    t = scaled(2, crossed(u, v))
    return add(v, scaled(q[0], t), crossed(u, t))


def quaternion_matrix(q):
    a, b, c, d = q
    return [[1 - 2 * (c * c + d * d), 2 * (b * c - a * d), 2 * (b * d + a * c)], [2 * (b * c + a * d), 1 - 2 * (b * b + d * d), 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), 1 - 2 * (b * b + c * c)]]


def quaternion_of(r):
    t = length(r)
    return [mp.cos(t / 2)] + [x * mp.sin(t / 2) / t for x in r] if t else [mpf(1), mpf(0), mpf(0), mpf(0)]


def rotation_of(q):
    if q[0] < 0:
        q = [-x for x in q]
    n = length(q[1:])
    return [2 * mp.atan2(n, q[0]) * x / n for x in q[1:]] if n else [mpf(0)] * 3


TURNS = [[0.5, -1.0, 0.25], [0.0, 0.0, 0.0], [1e-10, -2e-10, 1e-10], [1e-20, 0.0, 0.0], [3.0, 1.0, -2.0], [0.5625, 0.5625, 0.5625], [0.0, 0.0, 3.140625], [100.0, 50.0, -20.0],
         [0.01, 0.02, -0.01]]
V3 = [1.0, -2.0, 0.5]
UNITS = [[1.0, 0.0, 0.0, 0.0], [0.5, -0.5, 0.5, 0.5], [0.0, 0.0, 1.0, 0.0], [0.625, 0.75, 0.125, -0.1875]]
for name, f in (('sinc_of_square', sinc), ('cosc_of_square', cosc)):
    function(name, real_part(f), [dict(s=x) for x in (0.0, 1e-20, 1e-5, 0.25, 0.999, 1.0 + 2.0 ** -20, 2.0, 30.0, 1e4)], ulps=(4, 4), check='--set s=uniform(0.1,4)')
function('skew', skew, [dict(a=V3)])
function('rotate', lambda r, v: applied(rotation(r), v), [dict(r=r, v=V3) for r in TURNS], ulps=(4, 6), parts=lambda **_: (3, 3))
function('rotation_matrix', rotation, [dict(r=r) for r in TURNS], ulps=(4, 6), parts=lambda **_: (1, 1))
function('euler_matrix', lambda roll, pitch, yaw: times(about(2, yaw), times(about(1, pitch), about(0, roll))), [
    dict(roll=a, pitch=b, yaw=c) for a, b, c in ((0.5, -0.25, 1.0), (0.0, 0.0, 0.0), (3.0, 1.5707963, -2.0))], parts=lambda **_: (1, 1))
function('quaternion_product', product, [dict(p=p, q=q) for p, q in zip(UNITS, UNITS[1:])])
function('quaternion_conjugate', lambda q: [q[0], -q[1], -q[2], -q[3]], [dict(q=q) for q in UNITS])
function('quaternion_normalise', lambda q: [x / length(q) if any(q) else mpf(0) for x in q], [
    dict(q=[2.0, -1.0, 0.5, 3.0]), dict(q=[1e-30, 0.0, 2e-30, 0.0]), dict(q=[0.0, 0.0, 0.0, 0.0], grad=dict(q=[0, 0, 0, 0]))])
function('quaternion_rotate', by_quaternion, [dict(q=q, v=V3) for q in UNITS], parts=lambda **_: (2, 2))
function('quaternion_matrix', quaternion_matrix, [dict(q=q) for q in UNITS])
function('quaternion_of', quaternion_of, [dict(r=r) for r in TURNS], parts=lambda **_: (1, 1))
function('rotation_of_quaternion', rotation_of, [dict(q=q) for q in UNITS[:2] + UNITS[3:] + [
    [-0.625, 0.75, 0.125, -0.1875], [1.0, 1e-20, 0.0, -1e-20], [-3.0, 0.25, 0.0, 0.0], [1e-3, 1.0, 0.5, 0.0], [0.98, 0.0625, 0.0, 0.03125], [5.0, 0.0, 0.5, 0.0]]] +
    [dict(q=[0.0, 0.0, 1.0, 0.0], grad=dict(q=[2 * 0.75, mp.pi * -0.875, 0, mp.pi * 1.125]), seed=[-0.875, -0.75, 1.125])],
    parts=lambda q: (0, 0, 1), check='--set q=uniform(0.1,1)')

# ---- interpolation


def lookup(x, at, y):
    if x < at[0]:
        return y[0]
    for i in range(len(at) - 1):
        if x < at[i + 1]:
            return y[i] + (x - at[i]) / (at[i + 1] - at[i]) * (y[i + 1] - y[i])
    return y[-1]


def lookup_even(x, first, step, y):
    return lookup(x, [first + k * step for k in range(len(y))], y)


AT, Y = [-1.0, 0.5, 0.75, 3.0], [2.0, -1.0, 4.0, 0.5]
function('lerp', lambda a, b, t: a + t * (b - a), [dict(a=1.5, b=-2.0, t=t) for t in (0.0, 0.25, 1.0, 2.0)])


def smooth(x, a, b):
    t = min(max((x - a) / (b - a), mpf(0)), mpf(1))
    return 3 * t ** 2 - 2 * t ** 3


function('smoothstep', smooth, [dict(x=x, a=-1.0, b=3.0) for x in (-2.0, 0.0, 1.0, 2.75, 5.0)] + [
    dict(x=-1.0, a=-1.0, b=3.0, grad=dict(x=[0], a=[0], b=[0])), dict(x=3.0, a=-1.0, b=3.0, grad=dict(x=[0], a=[0], b=[0]))],
    check='--set x=uniform(0,1) --set a=uniform(-2,-0.5) --set b=uniform(1.5,3)')
function('interpolate', lookup, [dict(x=x, at=AT, y=Y) for x in (-2.0, -0.5, 0.625, 1.0, 2.9, 1e6)] + [
    dict(x=0.5, at=AT, y=Y, grad=dict(x=[20], at=[0, -20, 0, 0], y=[0, 1, 0, 0])), dict(x=3.0, at=AT, y=Y, grad=dict(x=[0], at=[0, 0, 0, 0], y=[0, 0, 0, 1])),
    dict(x=-1.0, at=AT, y=Y, grad=dict(x=[-2], at=[2, 0, 0, 0], y=[1, 0, 0, 0])), dict(x=1.0, at=[2.0], y=[5.0])],
    check='--set at=0.5 --set x=uniform(1,2)')
function('interpolate_even', lookup_even, [dict(x=x, first=-1.0, step=0.5, y=Y) for x in (-2.0, -0.75, 0.25, 0.375, 7.0, 1e12, -1e12)] + [
    dict(x=-0.5, first=-1.0, step=0.5, y=Y, grad=dict(x=[10], first=[-10], step=[-10], y=[0, 1, 0, 0])),
    dict(x=0.5, first=-1.0, step=0.5, y=Y, grad=dict(x=[0], first=[0], step=[0], y=[0, 0, 0, 1]))], check='--set x=uniform(0.1,0.9) --set first=0 --set step=1 --set K=4')


def lookup_even2(u, v, first, step, y):
    return lookup_even(u, first[0], step[0], [lookup_even(v, first[1], step[1], row) for row in y])


function('interpolate_even2', lookup_even2, [dict(u=u, v=v, first=[0.0, -1.0], step=[1.0, 0.5], y=X34) for u, v in ((0.5, -0.75), (1.25, 0.125), (-3.0, 0.25), (1.5, 9.0))],
         check='--set u=uniform(0.1,0.9) --set v=uniform(0.1,0.9) --set first=0 --set step=1 --set K=3 --set L=4')

# ---- several functions together, as one writes them: tests/library/*_use.grad

USES = []  # name, arguments in the order of the source, by what there is a gradient, result, formula, cases


def use(name, arguments, by, result, formula, **case):
    USES.append((name, [thing(a.strip()) for a in arguments.split(';')], by.split(), thing(result), formula, case))


def transformer(token, embed, place, Q, K, W, O, g1, b1, g2, up, c, down, e):
    loss = []
    for row in token:
        x = [add(embed[v], p) for v, p in zip(row, place)]
        n = [layer_norm(y, g1, b1, mpf('1e-5')) for y in x]
        y = [add(a, b) for a, b in zip(x, heads(n, n, Q, K, W, O, False))]
        for z, seen in zip(y, row[1:]):
            m = [u * h / sqrt(dot(z, z) / len(z) + mpf('1e-6')) for u, h in zip(z, g2)]
            h = [u * (1 + erf(u / sqrt(mpf(2)))) / 2 for u in add(applied(up, m), c)]
            score = applied(embed, add(z, applied(down, h), e))
            loss.append(log_sum(score) - score[seen])
    return fsum(loss) / len(loss)


use('transformer', 'index token[B, T + 1] : V; real embed[V, M]; real place[T, M]; real Q[H, D, M]; real K[H, D, M]; real W[H, D, M]; real O[M, H, D];'
    'real g1[M]; real b1[M]; real g2[M]; real up[F, M]; real c[F]; real down[M, F]; real e[M]',
    'embed place Q K W O g1 b1 g2 up c down e', 'real loss', transformer,
    token=[[0, 2, 1, 1], [2, 2, 0, 1]], embed=table(1, 3, 2), place=table(2, 3, 2), Q=[[[0.25, -0.5]], [[-0.125, 0.25]]], K=[[[0.5, 0.25]], [[-0.25, 0.375]]], W=table(5, 2, 1, 2),
    O=table(6, 2, 2, 1), g1=table(7, 2), b1=table(8, 2), g2=table(9, 2), up=table(10, 3, 2), c=table(11, 3), down=table(12, 2, 3), e=table(13, 2))


def letters(letter, E, W, U, b, O, a):
    h, bits = [mpf(0)] * len(E[0]), mpf(0)
    for now, then in zip(letter, letter[1:]):
        h = gru(E[now], h, W, U, b)
        score = add(applied(O, h), a)
        bits -= log(softmax(score)[then]) / log(mpf(2))
    return bits


use('letters', 'index letter[T + 1] : V; real E[V, H]; real W[3, H, H]; real U[3, H, H]; real b[3, H]; real O[V, H]; real a[V]', 'E W U b O a', 'real bits', letters,
    letter=[0, 1, 2, 1, 0], sizes=dict(T=4), E=table(1, 3, 2), W=table(2, 3, 2, 2), U=table(3, 3, 2, 2), b=table(4, 3, 2), O=table(5, 3, 2), a=table(6, 3))


def robust(x, y, w, log_s, log_nu, log_t):
    s, nu = exp(log_s), 1 + exp(log_nu)
    lp = fsum(student(v, nu, dot(row, w), s) for row, v in zip(x, y))
    lp += fsum(normal(v, 0, exp(t)) + cauchy(exp(t), 0, 1) + t for v, t in zip(w, log_t))
    return lp - s + log_s + gamma(nu - 1, mpf(2), mpf('0.1')) + log_nu


use('robust', 'real x[N, D]; real y[N]; real w[D]; real log_s; real log_nu; real log_t[D]', 'w log_s log_nu log_t', 'real lp', robust,
    x=table(1, 4, 2), y=[0.5, -1.0, 100.0, 0.25], w=[0.5, -0.75], log_s=-0.5, log_nu=1.25, log_t=[0.25, -1.0])


def scheduled(wish, knot, drag_first, drag_step, drag, gain):
    v = i = cost = mpf(0)
    for w in wish:
        p, q = [lookup(v, knot, g) for g in gain]
        u = 5 * tanh((p * (w - v) + q * i) / 5)
        cost += ((w - v) ** 2 + mpf('0.01') * u * u) * mpf('0.05')
        v, i = v + mpf('0.05') * (u - lookup_even(v, drag_first, drag_step, drag)), i + mpf('0.05') * (w - v)
    return cost


use('scheduled', 'real wish[T]; real knot[K]; real drag_first; real drag_step; real drag[L]; real gain[2, K]', 'gain', 'real cost', scheduled,
    wish=[3.0, 3.0, 4.0, -1.0, -2.0, 0.5], knot=[-0.5, 0.125, 0.5, 2.0], drag_first=-1.0, drag_step=0.125, drag=table(1, 20),
    gain=[[2.0, 9.0, 4.0, 1.0], [0.5, 1.0, -1.0, 0.25]])


def imu(rate, force, dt, q_end, v_end, p_end, turn, v0, p0, gyro_bias, force_bias):
    """With matrices instead of quaternions."""
    R, v, p = rotation(turn), v0, p0
    for w, f in zip(rate, force):
        a = add(applied(R, minus(f, force_bias)), [0, 0, mpf('-9.81')])
        p, v = add(p, scaled(dt, v), scaled(dt * dt / 2, a)), add(v, scaled(dt, a))
        R = times(R, rotation(scaled(dt, minus(w, gyro_bias))))
    D = times(turned(quaternion_matrix(q_end)), R)
    angle = mp.acos((D[0][0] + D[1][1] + D[2][2] - 1) / 2)
    axis = scaled(angle / (2 * mp.sin(angle)), [D[2][1] - D[1][2], D[0][2] - D[2][0], D[1][0] - D[0][1]])
    return [axis, minus(v, v_end), minus(p, p_end)]


use('imu', 'real rate[T, 3]; real force[T, 3]; real dt; real q_end[4]; real v_end[3]; real p_end[3]; real turn[3]; real v0[3]; real p0[3]; real gyro_bias[3]; real force_bias[3]',
    '', 'real residual[3, 3]', imu,
    rate=table(1, 5, 3), force=table(2, 5, 3), dt=0.125, q_end=[0.5, -0.5, 0.5, 0.5], v_end=V3, p_end=[0.5, 0.25, 1.0], turn=[0.5, -0.25, 1.0], v0=[1.0, 0.0, -0.5],
    p0=[0.0, 0.25, 0.5], gyro_bias=[0.0625, -0.03125, 0.125], force_bias=[0.25, 0.0, -0.125])


def betabinomial(k, n, x, w, log_spread):
    mean = [sigmoid(dot(row, w)) for row in x]
    return fsum(beta_binomial(seen, of, m * exp(-log_spread), (1 - m) * exp(-log_spread)) for seen, of, m in zip(k, n, mean))


for spread in (-0.5, -20.0, 3.0):  # with a small spread it is nearly a binomial
    use('betabinomial', 'int k[N]; int n[N]; real x[N, D]; real w[D]; real log_spread', 'w log_spread', 'real lp', betabinomial,
        k=[3, 0, 20, 1000], n=[10, 4, 20, 3000], x=table(1, 4, 2), w=[0.5, -0.75], log_spread=spread, part=1e4)


def write_uses(folder):
    out, last = ['# Made by tests/library/figures.py.'], ''
    for name, arguments, by, result, formula, case in USES:
        if name != last:
            out.append('model ' + name)
        last = name
        mp.dps = 80
        write_case(out, Function(formula=formula, ulps=(8, 8), parts=lambda **_: (case.get('part', 1), case.get('part', 1)), second=False, by=by), case, arguments, result)
    with open('%s/uses.txt' % folder, 'w') as text:
        text.write('\n'.join(out) + '\n')


if __name__ == '__main__':
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    for part in sys.argv[3:]:
        if part == 'uses':
            write_uses(sys.argv[2])
        else:
            write_file(sys.argv[1], sys.argv[2], part)
