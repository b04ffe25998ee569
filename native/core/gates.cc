#include "core/gates.h"

#include <algorithm>
#include <array>

namespace splitpoint {

std::vector<uint32_t> gateEnds(const Plan& plan, uint32_t limit) {
  limit = std::max<uint32_t>(limit, 1);
  std::vector<uint32_t> ends;
  std::array<uint32_t, kStreams> inGate{}, afterStep{};
  uint32_t stepEnd = 0;
  for (uint32_t i = 0; i < plan.count; ++i) {
    const uint8_t stream = plan.stream[i];
    if (inGate[stream] == limit) {
      const bool wholeSteps = stepEnd > (ends.empty() ? 0 : ends.back());
      ends.push_back(wholeSteps ? stepEnd : i);
      if (wholeSteps) {
        inGate = afterStep;
      } else {
        inGate.fill(0);
      }
      afterStep.fill(0);
      // What came after the last whole steps may fill a gate by itself.
      if (inGate[stream] == limit) {
        ends.push_back(i);
        inGate.fill(0);
      }
    }
    ++inGate[stream];
    ++afterStep[stream];
    if (Kind(plan.works.kind[plan.work[i]]) == Kind::stepEnd) {
      stepEnd = i + 1;
      afterStep.fill(0);
    }
  }
  if (plan.count > 0) ends.push_back(plan.count);
  return ends;
}

}  // namespace splitpoint
