#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/plan.h"

namespace splitpoint {

// The last operation of each stream that has ended when an operation begins, −1 where none has: a vector clock.
using Ended = std::array<int64_t, kStreams>;

// What streams and dependencies make certain for each operation of a plan whose columns are sound.
std::vector<Ended> endedBefore(const Plan& plan);

// Takes in that `operation` has ended, and with it everything before it.
void learn(Ended& ended, const Plan& plan, const std::vector<Ended>& before, uint32_t operation);

}  // namespace splitpoint
