"""Compiles rsie.cu to PTX and checks what came out.

    build.py PACKAGES [--check]

PACKAGES is the folder that pip filled from requirements.txt. It writes rsie.ptx.gz and resources.txt
beside this file; with --check it compares instead, and fails where a file would change.
"""
import ctypes
import glob
import gzip
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
KERNELS = os.path.dirname(HERE)
ARCH = "compute_70"  # the oldest device with threads that go on independently of their warp
DEVICES = ["sm_70", "sm_80", "sm_90"]

# What the kernels include; nvrtc has no headers of its own.
HEADERS = {
    "stdint.h": """
typedef signed char int8_t; typedef unsigned char uint8_t;
typedef short int16_t; typedef unsigned short uint16_t;
typedef int int32_t; typedef unsigned int uint32_t;
typedef long long int64_t; typedef unsigned long long uint64_t;
""",
    "math.h": """
#define INFINITY __int_as_float(0x7f800000)
#define NAN __int_as_float(0x7fffffff)
""",
}

# Instructions on floats that have one result by IEEE 754 or by the definition of PTX; without .rn the
# assembler may contract a product and a sum. No .approx, .ftz, .sat or atomics.
ALLOWED = re.compile(
    r"(add|sub|mul|div|sqrt|rcp)\.rn\.f(32|64)$|fma\.rn\.f(32|64)$|(min|max)\.f(32|64)$|(neg|abs|mov|selp)\.f(32|64)$"
    r"|setp(\.\w+)+\.f(32|64)$|(ld|st)(\.\w+)*\.f(32|64)$"
    r"|cvt\.rn\.f(32|64)\.[us](16|32|64)$|cvt\.rz[i]?\.[us](32|64)\.f(32|64)$|cvt\.rzi\.[us](32|64)\.f(32|64)$"
    r"|cvt\.f64\.f32$|cvt\.rn\.f32\.f64$|cvt\.r[mp]i\.f(32|64)\.f(32|64)$|mov\.b(32|64)$"
    r"|call\S*$|testp\.\w+\.f(32|64)$|slct\S*$"
)


def nvrtc(packages):
    found = glob.glob(os.path.join(packages, "nvidia/cuda_nvrtc/lib/libnvrtc.so*"))
    if not found:
        sys.exit(f"no libnvrtc under {packages}; make cuda-packages fetches it")
    return ctypes.CDLL(found[0])


# Compiled like the kernels, a product and a sum have to stay two instructions.
PROBE = b'extern "C" __global__ void probe(float *a) { a[0] = a[0] * a[1] + a[2]; }'


def compile_ptx(lib, source):
    names = (ctypes.c_char_p * len(HEADERS))(*[n.encode() for n in HEADERS])
    texts = (ctypes.c_char_p * len(HEADERS))(*[t.encode() for t in HEADERS.values()])
    options = [f"--gpu-architecture={ARCH}", "--std=c++17", "--fmad=false", "--ftz=false", "--prec-div=true",
               "--prec-sqrt=true", f"-I{KERNELS}"]
    program = ctypes.c_void_p()
    if lib.nvrtcCreateProgram(ctypes.byref(program), source, b"rsie.cu", len(HEADERS), texts, names):
        sys.exit("nvrtcCreateProgram failed")
    code = lib.nvrtcCompileProgram(program, len(options), (ctypes.c_char_p * len(options))(*[o.encode() for o in options]))
    log = fetch(lib.nvrtcGetProgramLogSize, lib.nvrtcGetProgramLog, program)
    if log.strip():
        print(log)
    if code:
        sys.exit(f"nvrtc: code {code}")
    ptx = fetch(lib.nvrtcGetPTXSize, lib.nvrtcGetPTX, program)
    return "".join(line + "\n" for line in (l.rstrip() for l in ptx.splitlines()) if not line.startswith("//"))


def fetch(size, value, program):
    n = ctypes.c_size_t()
    size(program, ctypes.byref(n))
    text = ctypes.create_string_buffer(n.value)
    value(program, text)
    return text.value.decode()


def lint(ptx):
    """Returns the instructions on floats that are not allowed, with their lines."""
    bad = []
    for number, line in enumerate(ptx.splitlines(), 1):
        text = re.sub(r"^\s*(@!?%p\d+\s+)?", "", line)
        op = text.split()[0].rstrip(";") if text.split() else ""
        if re.search(r"\.(approx|ftz|sat)\b", op) or re.match(r"(atom|red)\b", op):
            bad.append(f"{number}: {text}")
        elif re.search(r"\.f(16|32|64)\b", op) and not op.startswith(".") and not ALLOWED.match(op):
            bad.append(f"{number}: {text}")
    return bad


def resources(packages, ptx):
    """Returns the table of registers, spilled bytes and shared bytes of every kernel and device."""
    ptxas = os.path.join(packages, "nvidia/cuda_nvcc/bin/ptxas")
    os.chmod(ptxas, 0o755)
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "rsie.ptx")
        with open(path, "w") as f:
            f.write(ptx)
        for device in DEVICES:
            out = subprocess.run([ptxas, "-v", f"-arch={device}", path, "-o", os.path.join(folder, "out")],
                                 capture_output=True, text=True)
            if out.returncode:
                sys.exit(f"ptxas: {out.stderr}")
            parts = re.split(r"Compiling entry function '(\w+)'", out.stderr)
            for name, text in zip(parts[1::2], parts[2::2]):
                stack = re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", text)
                registers = re.search(r"Used (\d+) registers", text).group(1)
                shared = re.search(r"(\d+) bytes smem", text)
                rows.setdefault(name, []).append(
                    f"{registers:>4} {stack.group(2):>6} {shared.group(1) if shared else 0:>6}")
    head = f"{'kernel':<28}" + "".join(f"{d + ': regs spill shared':>26}" for d in DEVICES)
    lines = [f"{name:<28}" + "".join(f"{row:>26}" for row in rows[name]) for name in sorted(rows)]
    return head + "\n" + "\n".join(lines) + "\n"


def read(path):
    if not os.path.exists(path):
        return ""
    with (gzip.open if path.endswith(".gz") else open)(path, "rt") as f:
        return f.read()


def write(path, text):
    data = text.encode()
    with open(path, "wb") as f:
        f.write(gzip.compress(data, 9, mtime=0) if path.endswith(".gz") else data)


def main():
    packages, check = sys.argv[1], "--check" in sys.argv
    lib = nvrtc(packages)
    probe = compile_ptx(lib, PROBE)
    if "mul.rn.f32" not in probe or "fma" in probe:
        sys.exit("the options let the compiler contract a product and a sum:\n" + probe)
    with open(os.path.join(KERNELS, "rsie.cu"), "rb") as f:
        ptx = compile_ptx(lib, f.read())
    bad = lint(ptx)
    if bad:
        sys.exit("instructions outside the allow-list:\n" + "\n".join(bad))
    changed = []
    for name, text in {"rsie.ptx.gz": ptx, "resources.txt": resources(packages, ptx)}.items():
        path = os.path.join(HERE, name)
        if read(path) != text:
            changed.append(name)
            if not check:
                write(path, text)
    if check and changed:
        sys.exit(f"{', '.join(changed)} would change: run make kernels and commit the result")
    print(f"{ptx.count('.entry')} kernels, {len(ptx)} bytes of PTX, " + (f"changed: {changed}" if changed else "no change"))


main()
