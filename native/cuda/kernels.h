#pragma once

#include <cstdint>

#include "core/device.h"
#include "cuda/launch.h"

// The kernels behind the operations of core/device.h. Each function chooses and loads its kernel and returns the
// launch.

namespace splitpoint {

Launch embedLaunch(const Embed& embed);
Launch normLaunch(const Norm& norm);
Launch ropeLaunch(const Rope& rope);
Launch activateLaunch(const Activate& activate);
Launch mergeLaunch(const Merge& merge);
Launch appendLaunch(const Append& append);
Launch fillLaunch(const Fill& fill);

// c = bias in every row, or c += bias where the product is to be added: what the product is then added to.
Launch biasLaunch(const Gemm& gemm);

// Where attention leaves the partial results of runs of tokens. Attentions that share one must be ordered.
struct AttendWorkspace {
  float* partials;
  uint64_t floats;
  uint32_t multiprocessors;
};
Launch attendLaunch(const Attend& attend, const AttendWorkspace& workspace);

// Words in host memory that both sides see count upwards and wrap; comparisons are cyclic.
Launch signalLaunch(uint32_t* word, uint32_t value);
// Waits until the word has reached the value, at most so long; then sets `expired` unless it is null.
Launch awaitLaunch(const uint32_t* word, uint32_t value, double seconds, uint32_t* expired);

}  // namespace splitpoint
