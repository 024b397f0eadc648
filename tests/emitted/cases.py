"""Emitted C against published numbers: the cases of GradBench and of three robot arms, made by other tools (their README says which).

    cases.py GRADC RUNTIME WORK PROGRAMS CASES

Each program becomes C, that a shared object, called through ctypes. Everything must agree to 1e-9 of the largest number of its array,
the recommended tolerance. Prints what differs and, last, "N passed, N failed" or "N passed, N failed, N skipped"."""
import glob, json, os, re, subprocess, sys
from calls import Model, NotYet, flat, open_models

cases = sys.argv[5]
open_models(*sys.argv[1:5])
passed = failed = skipped = 0


def agree(title, got, want, tolerance=1e-9):
    global passed, failed
    got, want = flat(got), flat(want)
    scale = max((abs(w) for w in want), default=0)
    off = max((abs(g - w) for g, w in zip(got, want)), default=0)
    good = len(got) == len(want) and all(g == g for g in got) and off <= tolerance * scale
    passed, failed = passed + good, failed + (not good)
    if not good:
        print('%s: off by %.2g of %.2g, %d and %d numbers' % (title, off, scale, len(got), len(want)))


def each(pattern):
    for path in sorted(glob.glob(os.path.join(cases, pattern))):
        case = json.load(open(path))
        yield os.path.relpath(path, cases)[:-5], case['input'] if 'input' in case else case, case['outputs'] if 'outputs' in case else case


def hello():
    m = Model('d01_hello')
    for title, i, o in each('gradbench/hello/*.json'):
        r = m.call('value_and_gradient', {'x': i}, {'y': 1, 'x_grad': 1})
        agree(title, [r['y'], r['x_grad']], [o['square'], o['double']])


def llsq():
    m = Model('d02_llsq')
    for title, i, o in each('gradbench/llsq/*.json'):
        r = m.call('value_and_gradient', {'N': i['n'], 'M': len(i['x']), 'x': i['x']}, {'f': 1, 'x_grad': len(i['x'])})
        agree(title + ' primal', r['f'], [o['primal']])
        agree(title + ' gradient', r['x_grad'], o['gradient'])


def lse():
    m = Model('d03_lse')
    for title, i, o in each('gradbench/lse/*.json'):
        r = m.call('value_and_gradient', {'N': len(i['x']), 'x': i['x']}, {'f': 1, 'x_grad': len(i['x'])})
        agree(title + ' primal', r['f'], [o['primal']])
        agree(title + ' gradient', r['x_grad'], o['gradient'])


def det():
    for title, i, o in each('gradbench/det/*.json'):
        n = i['ell']
        r = Model('d04_det', n).call('value_and_gradient', {'A': i['A']}, {'d': 1, 'A_grad': n * n})
        agree(title + ' primal', r['d'], [o['primal']])
        agree(title + ' gradient', r['A_grad'], o['gradient'])


def det_subsets():
    m = Model('d04_det_subsets')
    for title, i, o in each('gradbench/det/*.json'):
        n = i['ell']
        members = [[c for c in range(n) if s >> c & 1] for s in range(2**n)]
        tables = {'size': [len(x) for x in members], 'col': [x + [0] * (n - len(x)) for x in members],
                  'less': [[s & ~(1 << c) for c in x] + [0] * (n - len(x)) for s, x in enumerate(members)]}
        r = m.call('value_and_gradient', {'A': i['A'], 'L': n, 'S': 2**n, **tables}, {'d': 1, 'A_grad': n * n})
        agree(title + ' primal, by subsets', r['d'], [o['primal']])
        agree(title + ' gradient, by subsets', r['A_grad'], o['gradient'])


def ode():
    m = Model('d05_ode')
    for title, i, o in each('gradbench/ode/*.json'):
        n = len(i['x'])
        r = m.call('value_and_gradient', {'N': n, 'S': i['s'], 'x': i['x']}, {'end': n, 'last': 1, 'x_grad': n})
        agree(title + ' primal', r['end'], o['primal'])
        agree(title + ' gradient', r['x_grad'], o['gradient'])


def gmm():
    m = Model('d06_gmm')
    for title, i, o in each('gradbench/gmm/*.json'):
        names = ('alpha', 'mu', 'q', 'l')
        r = m.call('value_and_gradient', {'N': i['n'], 'K': i['k'], 'D': i['d'], **{k: i[k] for k in ('x', 'gamma', 'm') + names}},
                   {'F': 1, **{k + '_grad': len(flat(i[k])) for k in names}})
        agree(title + ' objective', r['F'], [o['objective']])
        for k in names:
            agree(title + ' by ' + k, r[k + '_grad'], o['jacobian'][k])


def lstm():
    m = Model('d07_lstm')
    for title, i, o in each('gradbench/lstm/*.json'):
        layers, b = len(i['state']) // 2, len(i['state'][0])
        r = m.call('value_and_gradient', {'L': layers, 'T': len(i['sequence']), 'B': b, 'x': i['sequence'], 'start': i['state'], 'w': i['main_params'], 'ends': i['extra_params']},
                   {'loss': 1, 'w_grad': layers * 8 * b, 'ends_grad': 3 * b})
        agree(title + ' objective', r['loss'], [o['objective']])
        agree(title + ' jacobian', r['w_grad'] + r['ends_grad'], o['jacobian'])


def ba():
    m = Model('d08_ba')
    for title, i, o in each('gradbench/ba/*.json'):
        n, k, p = i['n'], i['m'], i['p']
        wire = 'cam' in i
        given = {'cam': [i['cam']] * n if wire else i['cams'], 'X': [i['x']] * k if wire else i['X'], 'w': [i['w']] * p if wire else i['w'],
                 'feat': [i['feat']] * p if wire else i['feats'], 'c': [q % n for q in range(p)] if wire else [q[0] for q in i['obs']],
                 'x': [q % k for q in range(p)] if wire else [q[1] for q in i['obs']]}
        r = m.call('value', {'N': n, 'M': k, 'P': p, **given}, {'err': 2 * p, 'werr': p, 'Jcam': 22 * p, 'JX': 6 * p, 'Jw': 2 * p, 'Jwerr': p})
        blocks = [r['Jcam'][11 * q:11 * q + 11] + r['JX'][3 * q:3 * q + 3] + [r['Jw'][q]] for q in range(2 * p)]
        if wire: # the same numbers for every observation
            agree(title + ' errors', r['err'], o['objective']['reproj_error']['elements'] * p)
            agree(title + ' weights', r['werr'], [o['objective']['w_err']['element']] * p)
            agree(title + ' jacobian', blocks[:2] + [r['Jwerr'][-1]], o['jacobian']['vals'])
            agree(title + ' jacobian, last', blocks[-2:] + [r['Jwerr'][0]], o['jacobian']['vals'])
        else:
            agree(title + ' errors', r['err'], o['objective']['reproj_err'])
            agree(title + ' weights', r['werr'], o['objective']['w_err'])
            agree(title + ' jacobian', blocks + [r['Jwerr']], o['jacobian']['vals'])


def ht():
    m = Model('d09_ht')
    for title, i, o in each('gradbench/ht/*.json'):
        d, us, theta = i['data'], i['us'], len(i['theta'])
        hand, count, vertices = d['model'], len(d['correspondences']), len(d['model']['base_positions'])
        corner = hand['triangles'] if us else [[v] * 3 for v in range(vertices)] # a vertex is a triangle without area
        r = m.call('value', {'V': vertices, 'T': len(corner), 'C': count, 'theta': i['theta'], 'us': us if us else [[1.0, 0.0]] * count, 'parent': hand['parents'],
                             'base': hand['base_relatives'], 'inverse_base': hand['inverse_base_absolutes'], 'position': hand['base_positions'],
                             'weight': hand['weights'], 'point': d['points'], 'corner': corner, 'triangle': d['correspondences']}, {'err': 3 * count, 'Jus': 6 * count})
        agree(title + ' objective', r['err'], o['objective'])
        if us:
            agree(title + ' by us', r['Jus'], [row[:2] for row in o['jacobian']])
        j = m.call('jacobian', {'V': vertices, 'T': len(corner), 'C': count, 'theta': i['theta'], 'us': us if us else [[1.0, 0.0]] * count, 'parent': hand['parents'],
                                'base': hand['base_relatives'], 'inverse_base': hand['inverse_base_absolutes'], 'position': hand['base_positions'],
                                'weight': hand['weights'], 'point': d['points'], 'corner': corner, 'triangle': d['correspondences']}, {'err_theta': 3 * count * theta})
        agree(title + ' by theta', j['err_theta'], [row[-theta:] for row in o['jacobian']])


def kmeans():
    m = Model('d10_kmeans')
    for title, i, o in each('gradbench/kmeans/*.json'):
        n, k, d = len(i['points']), len(i['centroids']), len(i['points'][0])
        r = m.call('value', {'N': n, 'K': k, 'D': d, 'x': i['points'], 'c': i['centroids']}, {'cost': 1, 'step': k * d})
        agree(title + ' cost', r['cost'], [o['cost']])
        agree(title + ' direction', r['step'], o['dir'])


def particle():
    m = Model('d11_particle')
    for title, i, o in each('gradbench/particle/w*.json'):
        r = m.call('value', {'start': i['w']}, {m.fields[-1][2]: 1})
        agree(title, r[m.fields[-1][2]], [o['rr']])
    m = Model('d11_particle_ff')
    for title, i, o in each('gradbench/particle/inner*.json'):
        r = m.call('value', {'w': i['w']}, {'f': 1, 'df': 1})
        agree(title, [r['f'], r['df']], [o['value_f'], o['d_ff']])


def robot(program, case, out, by, *dims):
    m = Model(program)
    for title, i, o in each('robot/%s.json' % case):
        n, sizes = len(o[out]), {x: len(flat(i[x])) for x in by}
        agree(title, m.call('value', i, {out: n})[out], o[out])
        r = m.call('jacobian', i, {'%s_%s' % (out, x): n * sizes[x] for x in by})
        rows = [[r['%s_%s' % (out, x)][k * sizes[x]:(k + 1) * sizes[x]] for x in by] for k in range(n)]
        agree(title + ' jacobian', rows, o['jacobian'])


def figures():
    """samples/robot holds copies of these cases, so that it runs without them; q, qd and qdd are there once for two cases."""
    text = open(os.path.join(os.path.dirname(__file__), '../../samples/robot/figures.h')).read()
    held = {name: [float(x) for x in body.split(',')] for name, body in re.findall(r'double (\w+)\[[^=]*= \{([^}]*)\};', text)}
    names = {'two_link': dict(x='two_link_x', u='two_link_u', xd='two_link_xd', jacobian='two_link_jacobian_of_casadi'),
             'inverse_dynamics_7': dict(q='arm_q', qd='arm_v', qdd='inverse_a', tau='inverse_tau', jacobian='inverse_jacobian'),
             'forward_dynamics_7': dict(q='arm_q', qd='arm_v', tau='forward_tau', qdd='forward_a', jacobian='forward_jacobian')}
    for title, i, o in each('robot/*.json'):
        for key, want in {**i, **o}.items():
            agree('%s %s in samples/robot' % (title, key), held[names[os.path.basename(title)].pop(key)], want, 0)
    agree('figures that are no case', [len(left) for left in names.values()], [0] * len(names), 0)


for test in (hello, llsq, lse, det, det_subsets, ode, gmm, lstm, ba, ht, kmeans, particle,
             lambda: robot('e01_two_link', 'two_link', 'xd', ['x', 'u']),
             lambda: robot('e02_inverse_dynamics', 'inverse_dynamics_7', 'tau', ['q', 'qd', 'qdd']),
             lambda: robot('e03_forward_dynamics', 'forward_dynamics_7', 'qdd', ['q', 'qd', 'tau']), figures):
    try:
        test()
    except NotYet as what:
        print('skipped, not yet: %s' % what)
        skipped += 1
    except (RuntimeError, KeyError, AttributeError, subprocess.CalledProcessError) as what:
        print('%s: %s' % (test.__name__, what))
        failed += 1
print('%d passed, %d failed' % (passed, failed) + (', %d skipped' % skipped if skipped else ''))
sys.exit(failed > 0)
