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
};
#endif
