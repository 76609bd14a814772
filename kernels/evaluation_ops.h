/* The phases of the operations of evaluation. */
#ifndef RSIE_EVALUATION_OPS_H
#define RSIE_EVALUATION_OPS_H

#include "access.h"

#endif
