/* The text of every kernel of kernels.def. */
#ifndef RSIE_KERNELS_H
#define RSIE_KERNELS_H

#include "breed.h"
#include "evaluate.h"
#include "factor.h"
#include "probe.h"
#include "rank.h"
#include "replace.h"
#include "settle.h"
#include "share.h"
#include "update.h"

#endif
