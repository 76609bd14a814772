/* Eigenvalues and eigenvectors of a symmetric matrix, in double, by one lane: see eigen.go of package
 * cpu, the twin.
 *
 * Source: J. Wilkinson, C. Reinsch, Handbook for Automatic Computation II, 1971, contributions II/2
 * and II/4 (EISPACK tred2 and imtql2). */
#ifndef RSIE_EIGEN_H
#define RSIE_EIGEN_H

#include "rsie_math.h"

#define EIGEN_STEPS 60 /* bounds the QL steps for one eigenvalue; 1 or 2 are usual */

/* The product of two vectors; eight leaves, added as a tree. */
DEVICE double rsie_product64(const double *a, const double *b, int n)
{
	double leaf[8] = {0, 0, 0, 0, 0, 0, 0, 0};
	int at = 0;
	for (; at + 8 <= n; at += 8)
		for (int l = 0; l < 8; l++) leaf[l] = fma(a[at + l], b[at + l], leaf[l]);
	for (int l = 0; at + l < n; l++) leaf[l] = fma(a[at + l], b[at + l], leaf[l]);
	for (int width = 4; width > 0; width /= 2)
		for (int l = 0; l < width; l++) leaf[l] = leaf[l] + leaf[l + width];
	return leaf[0];
}

/* Writes the diagonal and the values beside it of the tridiagonal form of a, and leaves the vector of
 * reflection k, of length 1 or 0, in row k of a behind the diagonal. */
KERNEL void rsie_tridiagonal(double *diagonal, double *off, double *a, double *w, int n)
{
	for (int64_t k = 0; k < n - 1; k++) {
		double *v = a + k * n + k + 1;
		int rest = (int)(n - k - 1);
		diagonal[k] = a[k * n + k];
		off[k] = v[0];
		if (k == n - 2) break;
		double length = sqrt(rsie_product64(v, v, rest));
		if (rsie_product64(v + 1, v + 1, rest - 1) == 0) {
			for (int j = 0; j < rest; j++) v[j] = 0;
			continue;
		}
		off[k] = v[0] < 0 ? length : -length;
		v[0] -= off[k];
		double scale = 1 / sqrt(rsie_product64(v, v, rest));
		for (int j = 0; j < rest; j++) v[j] = v[j] * scale;
		for (int64_t i = 0; i < rest; i++) w[i] = 2 * rsie_product64(a + (k + 1 + i) * n + k + 1, v, rest);
		double f = rsie_product64(w, v, rest);
		for (int j = 0; j < rest; j++) w[j] = fma(-f, v[j], w[j]);
		for (int64_t i = 0; i < rest; i++) {
			double *RESTRICT row = a + (k + 1 + i) * n + k + 1, x = v[i], y = w[i];
			for (int j = 0; j < rest; j++) row[j] = row[j] - (x * w[j] + y * v[j]);
		}
	}
	diagonal[n - 1] = a[(int64_t)n * n - 1];
	off[n - 1] = 0;
}

/* Does one step for value l and says whether another is needed. */
KERNEL int rsie_implicit_ql(double *d, double *e, double *vectors, int l, int n)
{
	int m = l;
	while (m < n - 1 && !(fabs(e[m]) <= 0x1p-53 * (fabs(d[m]) + fabs(d[m + 1])))) m++;
	if (m == l) return 0;
	double g = (d[l + 1] - d[l]) / (2 * e[l]), root = sqrt(g * g + 1);
	g = d[m] - d[l] + e[l] / (g + (g < 0 ? -root : root));
	double sine = 1, cosine = 1, p = 0;
	for (int64_t i = m - 1; i >= l; i--) {
		double f = sine * e[i], b = cosine * e[i], r = sqrt(f * f + g * g);
		e[i + 1] = r;
		if (r == 0) {
			d[i + 1] -= p;
			e[m] = 0;
			return 1;
		}
		sine = f / r;
		cosine = g / r;
		g = d[i + 1] - p;
		r = (d[i] - g) * sine + 2 * cosine * b;
		p = sine * r;
		d[i + 1] = g + p;
		g = cosine * r - b;
		double *RESTRICT one = vectors + i * n, *RESTRICT two = vectors + (i + 1) * n;
		for (int j = 0; j < n; j++) {
			double x = one[j], y = two[j];
			one[j] = cosine * x - sine * y;
			two[j] = sine * x + cosine * y;
		}
	}
	d[l] -= p;
	e[l] = g;
	e[m] = 0;
	return 1;
}

/* a = vectors^T diag(values) vectors, in no particular order; a is destroyed, scratch has 3 n. */
KERNEL void rsie_eigen(double *values, double *vectors, double *a, double *scratch, int n)
{
	double *off = scratch;
	rsie_tridiagonal(values, off, a, scratch + n, n);
	for (int64_t i = 0; i < (int64_t)n * n; i++) vectors[i] = 0;
	for (int64_t i = 0; i < n; i++) vectors[i * n + i] = 1;
	for (int64_t k = n - 3; k >= 0; k--) {
		const double *v = a + k * n + k + 1;
		int rest = (int)(n - k - 1);
		for (int64_t i = k + 1; i < n; i++) {
			double *RESTRICT row = vectors + i * n + k + 1, f = 2 * rsie_product64(row, v, rest);
			for (int j = 0; j < rest; j++) row[j] = fma(-f, v[j], row[j]);
		}
	}
	for (int l = 0; l < n; l++)
		for (int step = 0; step < EIGEN_STEPS && rsie_implicit_ql(values, off, vectors, l, n); step++) {
		}
}
#endif
