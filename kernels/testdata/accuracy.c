/* Measures the functions of rsie_math.h against the C library at higher precision. Usage: accuracy
 * STEP SKIP: of the 2^32 floats every STEP-th, from SKIP on. Prints a line for each function: name,
 * largest error in ulp, the input it is met at, a hash of all results. */
#include "../rsie_math.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 4096

typedef struct {
	const char *name;
	double worst, at;
	uint64_t hash;
} report;

static void note(report *r, double x, double got, double want, double smallest, int digits)
{
	uint64_t bits = got != got ? 1 : rsie_bits64(got); /* the sign of NaN is nobody's */
	r->hash = (r->hash ^ bits) * 0x9E3779B97F4A7C15u;
	if (got == want || (got != got && want != want)) return;
	int e;
	frexp(fabs(want) < smallest ? smallest : want, &e);
	double error = fabs(got - want) / ldexp(1, e - digits);
	if (!(error <= r->worst)) r->worst = error == error ? error : INFINITY, r->at = x;
}

static void print(const report *r) { printf("%s %.4f %.9g %016llx\n", r->name, r->worst, r->at, (unsigned long long)r->hash); }

typedef struct {
	float x[BLOCK], a[BLOCK], b[BLOCK];
} block;

static void do_exp(block *k) { EACH(i, 0, BLOCK) k->a[i] = rsie_exp(k->x[i]); }
static void do_log(block *k) { EACH(i, 0, BLOCK) k->a[i] = rsie_log(k->x[i]); }
static void do_tanh(block *k) { EACH(i, 0, BLOCK) k->a[i] = rsie_tanh(k->x[i]); }
static void do_sigmoid(block *k) { EACH(i, 0, BLOCK) k->a[i] = rsie_sigmoid(k->x[i]); }
static void do_sincos(block *k) { EACH(i, 0, BLOCK) rsie_sincos(k->x[i], &k->a[i], &k->b[i]); }
static void do_turns(block *k) { EACH(i, 0, BLOCK) rsie_turns(k->x[i], &k->a[i], &k->b[i]); }

/* The true value, with the results that are too small for a normal number 0 where that is stated. */
static double true_exp(double x) { return x > 88.722839 + 2e-7 ? INFINITY : x < -87.3365447 ? 0 : exp(x); }
static double true_sigmoid(double x) { return x < -88.7228391 ? 0 : 1 / (1 + exp(-x)); }
static double true_sin(double x) { return fabs(x) <= 0x1p20 ? sin(x) : NAN; }
static double true_cos(double x) { return fabs(x) <= 0x1p20 ? cos(x) : NAN; }
static double true_turns_sin(double x) { return sin(6.283185307179586 * x); }
static double true_turns_cos(double x) { return x == 0.25 || x == 0.75 ? 0 : cos(6.283185307179586 * x); }

static void scan(const char *name, const char *second, void (*f)(block *), double (*want)(double), double (*want2)(double),
                 uint64_t step, uint64_t from, int turns)
{
	static block k;
	report r = {name, 0, 0, 1}, r2 = {second, 0, 0, 1};
	uint64_t end = turns ? (1u << 25) + 1 : (uint64_t)1 << 32;
	for (uint64_t u = from % end; u < end;) {
		int n = 0;
		for (; n < BLOCK && u < end; n++, u += turns ? (step + 63) / 64 : step)
			k.x[n] = turns ? (float)u * 0x1p-25f : rsie_float((uint32_t)u);
		f(&k);
		for (int i = 0; i < n; i++) {
			note(&r, k.x[i], k.a[i], want(k.x[i]), turns ? 0x1p-24 : 0x1p-126, 24);
			if (want2) note(&r2, k.x[i], k.b[i], want2(k.x[i]), turns ? 0x1p-24 : 0x1p-126, 24);
		}
	}
	print(&r);
	if (want2) print(&r2);
}

/* The functions on doubles, at 2^22 inputs spread over what they are used for. */
static void scan64(int n)
{
	report e = {"exp64", 0, 0, 1}, l = {"log64", 0, 0, 1}, p = {"pow64", 0, 0, 1};
	uint64_t state = 1;
	for (int i = 0; i < n; i++) {
		double u[3];
		for (int j = 0; j < 3; j++) {
			state = state * 6364136223846793005u + 1442695040888963407u;
			u[j] = (double)(state >> 11) * 0x1p-53;
		}
		double x = i & 1 ? (u[0] - 0.5) * 1416 : (u[0] - 0.5) * 4;
		note(&e, x, rsie_exp64(x), (double)expl(x), 0x1p-1022, 53);
		double y = i & 1 ? 0.5 + u[1] : exp((u[1] - 0.5) * 1400);
		note(&l, y, rsie_log64(y), (double)logl(y), 0x1p-1022, 53);
		double z = exp((u[1] - 0.5) * 20), w = (u[2] - 0.5) * 20 / (fabs(log(z)) + 1); /* |w ln z| <= 10 */
		note(&p, z, rsie_pow64(z, w), (double)powl(z, w), 0x1p-1022, 53);
	}
	print(&e);
	print(&l);
	print(&p);
}

/* The short forms have the bits of the long ones where they may be used. */
static int short_forms(void)
{
	for (uint32_t u = 0; u < 0x7f000000u; u += 911) {
		float x = rsie_float(u);
		if (rsie_exp_falling(-x) != rsie_exp(-x)) return printf("WRONG exp_falling %a\n", -x);
		if (x >= 1 && rsie_log_sum(x) != rsie_log(x)) return printf("WRONG log_sum %a\n", x);
	}
	return rsie_exp_falling(NAN) == 0 || rsie_log_sum(NAN) == 0 || rsie_exp_falling(-INFINITY) != 0;
}

static int wrong(const char *what, double got, double want)
{
	if (got == want || (got != got && want != want)) return 0;
	printf("WRONG %s %g %g\n", what, got, want);
	return 1;
}

/* What happens at the ends. */
static int ends(void)
{
	double inf = INFINITY;
	float s, c;
	rsie_sincos(0x1p21f, &s, &c);
	return wrong("exp(inf)", rsie_exp((float)inf), inf) + wrong("exp(-inf)", rsie_exp(-(float)inf), 0) +
	       wrong("exp(0)", rsie_exp(0), 1) + wrong("log(0)", rsie_log(0), -inf) + wrong("log(-0)", rsie_log(-0.0f), -inf) +
	       wrong("log(inf)", rsie_log((float)inf), inf) + wrong("log(-1)", rsie_log(-1), NAN) + wrong("log(1)", rsie_log(1), 0) +
	       wrong("tanh(inf)", rsie_tanh((float)inf), 1) + wrong("tanh(-inf)", rsie_tanh(-(float)inf), -1) +
	       wrong("tanh(NaN)", rsie_tanh(NAN), NAN) + wrong("exp(NaN)", rsie_exp(NAN), NAN) + wrong("log(NaN)", rsie_log(NAN), NAN) +
	       wrong("sigmoid(NaN)", rsie_sigmoid(NAN), NAN) + wrong("sigmoid(inf)", rsie_sigmoid((float)inf), 1) +
	       wrong("sigmoid(-inf)", rsie_sigmoid(-(float)inf), 0) + wrong("sin(2^21)", s, NAN) + wrong("cos(2^21)", c, NAN) +
	       wrong("exp64(inf)", rsie_exp64(inf), inf) + wrong("exp64(-inf)", rsie_exp64(-inf), 0) +
	       wrong("exp64(NaN)", rsie_exp64(NAN), NAN) + wrong("log64(0)", rsie_log64(0), -inf) +
	       wrong("log64(-1)", rsie_log64(-1), NAN) + wrong("log64(inf)", rsie_log64(inf), inf) +
	       wrong("log64(NaN)", rsie_log64(NAN), NAN) + wrong("log64(1)", rsie_log64(1), 0) + wrong("pow64(0,2)", rsie_pow64(0, 2), 0) +
	       wrong("pow64(0,0)", rsie_pow64(0, 0), 1) + wrong("pow64(0,-1)", rsie_pow64(0, -1), inf) +
	       wrong("pow64(-1,2)", rsie_pow64(-1, 2), NAN) + wrong("pow64(1,9)", rsie_pow64(1, 9), 1);
}

/* Known answers of Philox on standard input, ten words a line: counter, key, output. */
static int philox(void)
{
	uint32_t w[10];
	int lines = 0, bad = 0;
	for (;; lines++) {
		for (int i = 0; i < 10; i++)
			if (scanf("%x", &w[i]) != 1) {
				printf("philox %d\n", lines);
				return bad;
			}
		rsie_quad q = rsie_philox(w[0], w[1], w[2], w[3], w[4], w[5]);
		if (memcmp(q.w, w + 6, sizeof q.w)) {
			printf("WRONG philox %d\n", lines);
			bad++;
		}
	}
}

/* The moments of normals, which have the words of a member and nothing from their neighbours. */
static void gauss(void)
{
	enum { N = 1 << 20 };
	static float z[N + 3], part[N];
	rsie_address a = {1, 2, 3, 4, 5};
	report r = {"normals", 0, 0, 1};
	double m[4] = {0};
	rsie_normals(z, N, a, 9);
	for (int i = 0; i < N; i++) {
		note(&r, i, z[i], z[i], 1, 24);
		double p = 1;
		for (int j = 0; j < 4; j++) m[j] += (p *= z[i]) / N;
	}
	for (int n = 0; n < 300; n++) {
		part[n] = 7;
		rsie_normals(part, n, a, 9);
		if (memcmp(part, z, sizeof *z * (size_t)n) || part[n] != 7) printf("WRONG normals %d\n", n);
	}
	for (int b = 0; b < N / 4; b++) {
		float four[4];
		rsie_gauss(rsie_words(a, (uint32_t)b, 9), four);
		if (memcmp(four, z + 4 * b, sizeof four)) {
			printf("WRONG normals: block %d\n", b);
			break;
		}
	}
	print(&r);
	printf("moments %.4f %.4f %.4f %.4f\n", m[0], m[1], m[2], m[3]);
}

int main(int argc, char **argv)
{
	uint64_t step = argc > 1 ? strtoull(argv[1], 0, 10) : 1, from = argc > 2 ? strtoull(argv[2], 0, 10) : 0;
	scan("exp", 0, do_exp, true_exp, 0, step, from, 0);
	scan("log", 0, do_log, log, 0, step, from, 0);
	scan("tanh", 0, do_tanh, tanh, 0, step, from, 0);
	scan("sigmoid", 0, do_sigmoid, true_sigmoid, 0, step, from, 0);
	scan("sin", "cos", do_sincos, true_sin, true_cos, step, from, 0);
	scan("turns_sin", "turns_cos", do_turns, true_turns_sin, true_turns_cos, step, from, 1);
	scan64(step == 1 ? 1 << 26 : 1 << 18);
	gauss();
	return philox() + ends() + short_forms() ? 1 : 0;
}
