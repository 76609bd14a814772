/* The layout that Go, C and CUDA share: the run table of rsie.Run, the codes of its fields and
 * what one call of a backend is about. kernels.Check compares sizes and offsets with Go's. */
#ifndef RSIE_ABI_H
#define RSIE_ABI_H

#include <stdint.h>

/* Operations, as rsie.Op. */
enum {
	OP_INITIALISE = 1, OP_BREED, OP_SAMPLE, OP_SURVIVE, OP_EVALUATE, OP_RANK, OP_SHARE, OP_MEASURE,
	OP_UPDATE, OP_FACTOR, OP_PROBE, OP_EVALUATE_PROBES, OP_SETTLE, OP_REPLACE, OP_COUNT
};

/* Flags of a table entry, as rsie.Flag*. */
enum {
	FLAG_ACTIVE = 1 << 0, FLAG_MIRRORED = 1 << 1, FLAG_SHARING = 1 << 2, FLAG_ADAPTIVE = 1 << 3,
	FLAG_BEGIN = 1 << 4, FLAG_FROM_BEST = 1 << 5, FLAG_DRAWS = 1 << 6, FLAG_PATH = 1 << 7,
	FLAG_DECOMPOSE = 1 << 8, FLAG_WATCH = 1 << 9, FLAG_PAIRWISE = 1 << 10,
	FLAG_BEST_BREEDS = 1 << 11, FLAG_VARY_BEST = 1 << 12
};

/* Codes of the table, as rsie.Code*. */
enum { FAMILY_POPULATION = 1, FAMILY_DISTRIBUTION, FAMILY_RANDOM };
enum { SELECT_TOURNAMENT = 1, SELECT_ROULETTE, SELECT_RANK, SELECT_ELITISM };
enum { MUTATE_GAUSSIAN = 1, MUTATE_SVD, MUTATE_DROPOUT, MUTATE_ADAPTIVE, MUTATE_DIFFERENTIAL,
	MUTATE_SELF_ADAPTIVE };
enum { BASE_RANDOM = 1, BASE_BEST, BASE_TO_BEST };
enum { HISTORY_NONE = 1, HISTORY_SHADE, HISTORY_LSHADE };
enum { SAMPLE_NORMAL = 1, SAMPLE_ORTHOGONAL, SAMPLE_SOBOL, SAMPLE_LOW_RANK };
enum { CROSS_AVERAGING = 1, CROSS_SWAPPING, CROSS_WEIGHTED_MERGE };
enum { WEIGHTS_CENTRED = 1, WEIGHTS_LOGARITHMIC, WEIGHTS_UTILITY, WEIGHTS_EQUAL, WEIGHTS_SOFTMAX,
	WEIGHTS_TUTORIAL, WEIGHTS_LOGISTIC };
enum { MEAN_PLAIN = 1, MEAN_ADAM, MEAN_CLIPUP };
enum { CONTROL_NONE = 1, CONTROL_CUMULATIVE, CONTROL_PATH, CONTROL_SUCCESS, CONTROL_TWO_POINT };
enum { COV_NONE = 1, COV_RANK_ONE, COV_FULL, COV_EXPONENTIAL, COV_LIMITED };
enum { SCALES_NONE = 1, SCALES_NATURAL, SCALES_VARIANCE, SCALES_LIKELIHOOD, SCALES_DEVIATION,
	SCALES_SEP_CMA, SCALES_FAST_NES };

/* Streams of randomness, as rsie.Stream. */
enum {
	STREAM_INITIALISE = 1, STREAM_SELECT, STREAM_CROSS, STREAM_MUTATE_MASK, STREAM_MUTATE,
	STREAM_SAMPLE, STREAM_IMMIGRANT, STREAM_FACTOR, STREAM_PROBLEM, STREAM_CHILD, STREAM_RESAMPLE,
	STREAM_PATH, STREAM_SCRAMBLE, STREAM_ARCHIVE, STREAM_RESTART
};

/* Rows of a run's vectors, as rsie.Vec*. */
enum { VEC_MEAN, VEC_BEFORE, VEC_LAYER, VEC_SCALE, VEC_MOMENT1, VEC_MOMENT2, VEC_STEP_PATH, VEC_PATH,
	VEC_BEST, VEC_COUNT, VEC_DIRECTION = VEC_MOMENT2 };

/* Entries of a run's memory, as rsie.Mem*. */
enum { MEM_SPREAD0, MEM_SPREAD, MEM_SPREAD_SUM, MEM_MEASURED, MEM_STEP, MEM_SUCCESS, MEM_BEST,
	MEM_SIGMA, MEM_MEDIAN, MEM_UPDATES, MEM_ARCHIVE, MEM_HISTORY, MEM_EXTENT, MEM_CONDITION,
	MEM_STUCK, MEM_COUNT };

/* Networks, activations, losses and dynamics, as in package rsie. */
enum { NET_DENSE = 1, NET_ELMAN, NET_GRU };
enum { ACT_LINEAR = 1, ACT_TANH, ACT_RELU, ACT_SIGMOID };
enum { LOSS_CROSS_ENTROPY = 1, LOSS_MEAN_SQUARED, LOSS_RETURN };
enum { DYN_CARTPOLE = 1, DYN_SWINGUP, DYN_ACROBOT, DYN_MOUNTAINCAR, DYN_MOUNTAINCAR_CONTINUOUS,
	DYN_PENDULUM };

/* Constants of the operators, as in package rsie. RSIE_WORST is float32(rsie.Worst). */
#define RSIE_WORST 1e30f
#define IMMIGRANT_SHARE 0.1
#define ADAM_EPSILON 1e-8f
#define SUCCESS_TARGET 0.2
#define SUCCESS_GAIN 0.2
#define STEP_LOWEST 1e-6
#define STEP_HIGHEST 1e3
#define SCALE_LOWEST 1e-3f
#define SCALE_HIGHEST 1e2f
#define SIGMA_LOWEST 1e-4
#define SIGMA_HIGHEST 1e2
#define MAX_SIGMA_CHANGE 0.5
#define PATH_GENERATION 4
#define OWN_STEP_LOWEST 1e-9
#define OWN_STEP_HIGHEST 10.0
#define HISTORY_SPREAD 0.1
#define MAX_HISTORY 128

/* One entry of the run table, as rsie.Run. */
typedef struct {
	uint64_t seed;
	uint32_t index, generation, since, offset, members, previous, eval_from, eval_to, elites,
		eligible, tournament, niche, mu, probes, archive_at, archive, history, groups, slot;
	uint16_t flags;
	uint8_t family, selection, mutation, crossover, update, recombine, control, scales, covariance,
		base, adaptation, sampling, hole[6];
	double crossover_rate, rate, strength, diversity_threshold, diversity_bonus, sigma,
		learning_rate, momentum, second_rate, max_speed, decay, pull, weight_exponent, negative,
		temperature, mu_eff, density, start_hidden, start_output, layer_exponent, output_step,
		step_gain, path_rate, path_damping, scale_rate, cov_path_rate, cov_rank_one, cov_rank_mu,
		step_factor, parent_share, parent_step, parent_cross, start_share;
} rsie_run;

/* A block of the parameters: a matrix [rows][cols], or a vector of one row; as rsie.Block. */
typedef struct {
	int32_t offset, rows, cols, layer;
	float std;
} rsie_block;

/* One side of the double buffer, as rsie.Generation; unused ones are NULL. */
typedef struct {
	float *points, *fitness, *selection, *factors, *strengths, *rates;
	uint32_t *order, *choice, *parent, *factored;
} rsie_side;

/* One layer of a dense network: offsets of W[in][out] and b[out] in a point. */
typedef struct {
	int32_t in, out, w, b, act;
} rsie_layer;

/* A model with its data. Samples stand in tiles of TILE, in which they run fastest: inputs are
 * [padded/TILE][steps][in][TILE], padded = samples rounded up to a multiple of 128; padding is 0 and
 * never counts. So a warp reads one line, and a core a tile without jumps. */
#define TILE 32
typedef struct {
	int32_t network, loss, labelled, samples, padded, steps, dim, outputs, layer_count, widest;
	const rsie_layer *layers; /* dense: every layer; elman and gru: in, h, out as layers[0..1] */
	const float *inputs;      /* [padded/TILE][steps][in][TILE] */
	const float *targets;     /* [padded/TILE][out][TILE] */
	const int32_t *classes;   /* [padded], padding -1 */
	/* Control: starts [samples][state]. */
	int32_t dynamics, horizon, state, obs;
	float force, pole_mass, half_length, total_mass, moment;
	const float *starts;
	/* Where most inputs of a dense network are 0: the others, of sample s from[s] to from[s+1] of at
	 * (ascending) and value; else NULL. */
	const int32_t *from; /* [padded+1] */
	const int32_t *at;
	const float *value;
} rsie_program;

/* Plan of the children of a run, as plan of package cpu. */
typedef struct {
	float worst, strength, rate;
	uint32_t limit;
	double inverse;
	uint64_t tickets;
	int32_t fresh, pad;
} rsie_plan;

/* What one call is about: the state as plain arrays, the table, scratch. R runs, M members. */
typedef struct {
	const rsie_run *runs;
	const rsie_block *blocks;
	const rsie_program *program;
	rsie_side now, next;
	float *vectors;  /* [R][VEC_COUNT][stride] */
	float *memory;   /* [R][MEM_COUNT] */
	float *matrices; /* [slots][2 dim dim + dim] */
	float *archive, *archived, *history;

	int32_t run_count, block_count, dim, stride, factors, last_layer, members, workers;
	int32_t bounded, closed; /* closed: points stay in the box */
	float lower, upper;
	int32_t rows;  /* members of one span of a cheap operation */
	int32_t tiles; /* spans of COLUMNS columns */

	/* Scratch. */
	float *noise;      /* [workers][4][stride] */
	uint64_t *lottery; /* [M] */
	uint64_t *near;    /* [M] */
	uint8_t *cleared;  /* [M] */
	float *distance, *utility, *ranked, *shorter, *length; /* [M] */
	float *steps, *inverse, *gradient, *square, *centroid, *white, *variance; /* [R][stride] */
	double *solver;    /* [workers][solver_len] */
	float *partial;    /* [R][tiles] */
	rsie_plan *plans;  /* [R] */
	void *niches;      /* [R] of rsie_niches, share.h */
	float *activations; /* [workers][activation_len], evaluate.h and rollout.h */
	int64_t solver_len, activation_len;
	/* Predict: outputs [n][width] of points [n][dim]. */
	float *predicted;
	const float *asked;
	int64_t width;
	const uint32_t *sobol; /* [SOBOL_DIMENSIONS][32] direction numbers */
	float *interleaved; /* [workers][interleaved_len], factor.h on a CPU */
	int64_t interleaved_len;
	int64_t limited; /* vectors of a limited-memory matrix, rsie.LimitedVectors */
} rsie_call;

#define COLUMNS 256 /* width of a span over parameters */

/* A piece of one phase of an operation: rows, columns or the whole of a run. */
typedef struct {
	int32_t run, from, to;
} rsie_span;

#endif
