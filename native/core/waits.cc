#include "core/waits.h"

#include <algorithm>

#include "core/order.h"

namespace splitpoint {

Waits::Waits(const Plan& plan) : start_{0}, crosses_(plan.count, false) {
  const std::vector<Ended> before = endedBefore(plan);
  Ended last = {-1, -1, -1, -1};
  start_.reserve(size_t(plan.count) + 1);
  std::vector<uint32_t> latestFirst;
  for (uint32_t i = 0; i < plan.count; ++i) {
    const Stream stream = Stream(plan.stream[i]);
    Ended known = {-1, -1, -1, -1};
    if (last[stream] >= 0) learn(known, plan, before, uint32_t(last[stream]));
    // An operation is implied by later ones only, so that one pass from the latest on finds the few that matter.
    latestFirst.assign(plan.dependency.begin() + plan.dependencyStart[i],
                       plan.dependency.begin() + plan.dependencyStart[i + 1]);
    std::sort(latestFirst.begin(), latestFirst.end(), std::greater<>());
    for (uint32_t on : latestFirst) {
      if (known[plan.stream[on]] >= int64_t(on)) continue;
      learn(known, plan, before, on);
      on_.push_back(on);
      if ((plan.stream[on] == kHost) != (stream == kHost)) crosses_[on] = true;
    }
    start_.push_back(uint32_t(on_.size()));
    last[stream] = i;
  }
}

}  // namespace splitpoint
