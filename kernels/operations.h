/* The phases of every operation. */
#ifndef RSIE_OPERATIONS_H
#define RSIE_OPERATIONS_H

#include "host.h"

enum {
#define X(name) K_##name,
#include "kernels.def"
#undef X
	K_COUNT
};

#include "population_ops.h"
#include "distribution_ops.h"
#include "evaluation_ops.h"

typedef void (*rsie_operation)(rsie_host *);

/* By the number of the operation; NULL is one that is missing. */
static const rsie_operation rsie_operations[OP_COUNT] = {
	[OP_INITIALISE] = op_initialise,
	[OP_EVALUATE] = op_evaluate,
	[OP_EVALUATE_PROBES] = op_evaluate_probes,
	[OP_BREED] = op_breed,
	[OP_FACTOR] = op_factor,
	[OP_SURVIVE] = op_survive,
	[OP_RANK] = op_rank,
	[OP_MEASURE] = op_measure,
	[OP_SHARE] = op_share,
	[OP_REPLACE] = op_replace,
	[OP_SAMPLE] = op_sample, [OP_UPDATE] = op_update, [OP_PROBE] = op_probe, [OP_SETTLE] = op_settle,
};
#endif
