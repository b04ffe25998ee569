#pragma once

#include <cstdint>
#include <vector>

#include "core/plan.h"

namespace splitpoint {

// Where each gate's operations end, the plan's end last: behind as many whole steps as leave no stream with more than
// `limit` operations; inside of a step only where it is longer by itself. Dependencies point backwards, so that every
// gate's operations can run after those of the gates before.
std::vector<uint32_t> gateEnds(const Plan& plan, uint32_t limit);

}  // namespace splitpoint
