#include "core/order.h"

#include <algorithm>

namespace splitpoint {

void learn(Ended& ended, const Plan& plan, const std::vector<Ended>& before, uint32_t operation) {
  for (int s = 0; s < kStreams; ++s) ended[s] = std::max(ended[s], before[operation][s]);
  int64_t& own = ended[plan.stream[operation]];
  own = std::max<int64_t>(own, operation);
}

std::vector<Ended> endedBefore(const Plan& plan) {
  constexpr Ended kNothing = {-1, -1, -1, -1};
  std::vector<Ended> before(plan.count, kNothing);
  Ended last = kNothing;
  for (uint32_t i = 0; i < plan.count; ++i) {
    int64_t& lastInStream = last[plan.stream[i]];
    if (lastInStream >= 0) learn(before[i], plan, before, uint32_t(lastInStream));
    for (uint32_t e = plan.dependencyStart[i]; e < plan.dependencyStart[i + 1]; ++e) {
      learn(before[i], plan, before, plan.dependency[e]);
    }
    lastInStream = i;
  }
  return before;
}

}  // namespace splitpoint
