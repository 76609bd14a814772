/* The phases of the operations of distributions. */
#ifndef RSIE_DISTRIBUTION_OPS_H
#define RSIE_DISTRIBUTION_OPS_H

#include "access.h"

#endif
