"""The peer that torch.c talks to: PyTorch's way to the numbers of a problem, one thread.

It is given arrays (name, type and count on a line, then their bytes) until `go`, then told `value N`,
`derived N` or `result 0`; the first two are answered by the seconds that N of them took, the last by the
number of numbers and the numbers, all as doubles.
"""
import struct
import sys
import time

import torch

torch.set_num_threads(1)
types = {"f": (torch.float32, 4), "d": (torch.float64, 8), "i": (torch.int32, 4)}


class Net:
    def __init__(self, d):
        n = int(d["B"][0])
        sizes = [72 * 784, 72, 10 * 72, 10]
        self.x, self.y = d["x"].view(n, 784), d["y"].long()
        self.p = [q.clone() for q in d["theta"].split(sizes)]
        self.p = [self.p[0].view(72, 784), self.p[1], self.p[2].view(10, 72), self.p[3]]
        for q in self.p:
            q.requires_grad_()

    def value(self):
        h = torch.tanh(torch.addmm(self.p[1], self.x, self.p[0].t()))
        return torch.nn.functional.cross_entropy(torch.addmm(self.p[3], h, self.p[2].t()), self.y)

    def derived(self):
        loss = self.value()
        return [loss, *torch.autograd.grad(loss, self.p)]


class LogSumExp:
    def __init__(self, d):
        self.x = d["theta"].clone().requires_grad_()

    def value(self):
        return torch.logsumexp(self.x, 0)

    def derived(self):
        f = self.value()
        return [f, *torch.autograd.grad(f, self.x)]


class Product:
    def __init__(self, d):
        self.a, self.b = (m.view(768, 768) for m in d["theta"].chunk(2))

    def value(self):
        return self.a @ self.b


def main():
    source, to = sys.stdin.buffer, sys.stdout.buffer
    data = {}
    for line in iter(source.readline, b""):
        name, kind, count = line.decode().split()
        if name == "go":
            break
        dtype, size = types[kind]
        data[name] = torch.frombuffer(bytearray(source.read(int(count) * size)), dtype=dtype)
    problem = {"mnist": Net, "lse": LogSumExp, "matmul": Product}[sys.argv[1]](data)
    result = []
    for line in iter(source.readline, b""):
        what, turns = line.decode().split()
        if what == "result":
            flat = torch.cat([r.detach().double().reshape(-1) for r in result])
            to.write(struct.pack("d", len(flat)) + flat.numpy().tobytes())
        elif what == "value":
            with torch.no_grad():
                start = time.thread_time()
                for _ in range(int(turns)):
                    result = [problem.value()]
        else:
            start = time.thread_time()
            for _ in range(int(turns)):
                result = problem.derived()
        if what != "result":
            to.write(struct.pack("d", time.thread_time() - start))
        to.flush()


main()
