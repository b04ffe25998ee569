#include "core/races.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "core/names.h"
#include "core/operand.h"
#include "core/order.h"
#include "core/text.h"

namespace splitpoint {

namespace {

struct Access {
  Range range;
  uint32_t operation;
  bool write;
};

// Norms and activations read each element before they write it, so that what they write may be what they read first.
bool mayWriteInPlace(Kind kind, const Operand& earlier, const Operand& later, bool firstOperand) {
  if (earlier.role != Role::input || later.role != Role::output || earlier.range != later.range) return false;
  return kind == Kind::norm || (kind == Kind::activation && firstOperand);
}

class RaceFinder {
 public:
  RaceFinder(const Plan& plan, const std::vector<BufferSpec>& buffers)
      : plan_(plan), buffers_(buffers), before_(endedBefore(plan)), accesses_(buffers.size()) {
    for (uint32_t i = 0; i < plan.count; ++i) ++left_[plan.stream[i]];
  }

  std::optional<std::string> find() {
    for (uint32_t i = 0; i < plan_.count; ++i) {
      if (auto fault = raceWithin(i)) return fault;
      for (uint32_t o = plan_.operands.start[i]; o < plan_.operands.start[i + 1]; ++o) {
        if (auto fault = raceBefore(i, operandAt(plan_.operands, o))) return fault;
      }
      const Stream stream = Stream(plan_.stream[i]);
      --left_[stream];
      last_[stream] = i;
      updateEndedForAll();
    }
    return {};
  }

 private:
  std::optional<std::string> raceWithin(uint32_t i) const {
    const uint32_t begin = plan_.operands.start[i], end = plan_.operands.start[i + 1];
    const Kind kind = Kind(plan_.works.kind[plan_.work[i]]);
    for (uint32_t o = begin; o < end; ++o) {
      const Operand later = operandAt(plan_.operands, o);
      for (uint32_t p = begin; p < o; ++p) {
        const Operand earlier = operandAt(plan_.operands, p);
        if (earlier.buffer != later.buffer || !(earlier.write || later.write)) continue;
        if (!overlap(earlier.range, later.range) || mayWriteInPlace(kind, earlier, later, p == begin)) continue;
        return text("operation ", i, " (", nameOf(kind), ") uses the same bytes of ", buffers_[later.buffer].name,
                    " as ", nameOf(earlier.role), " and as ", nameOf(later.role));
      }
    }
    return {};
  }

  // Also forgets accesses that need no more attention and notes this one.
  std::optional<std::string> raceBefore(uint32_t i, const Operand& operand) {
    std::vector<Access>& seen = accesses_[operand.buffer];
    size_t kept = 0;
    for (const Access& access : seen) {
      const Stream stream = Stream(plan_.stream[access.operation]);
      if (int64_t(access.operation) <= endedForAll_[stream]) continue;
      const bool same = access.operation == i;
      const bool ordered = same || before_[i][stream] >= int64_t(access.operation);
      if (!ordered && (access.write || operand.write) && overlap(access.range, operand.range)) {
        return text("operations ", access.operation, " and ", i, " use the same bytes of ",
                    buffers_[operand.buffer].name, " in no order, and ", operand.write ? i : access.operation,
                    " writes");
      }
      // What conflicts with it conflicts with this access too, which comes after it.
      const bool replaced = ordered && !same && (operand.write || !access.write) && covers(operand.range, access.range);
      if (!replaced) seen[kept++] = access;
    }
    seen.resize(kept);
    seen.push_back({operand.range, i, operand.write});
    return {};
  }

  // What has ended for all operations to come: each of them comes after the last one in its stream.
  void updateEndedForAll() {
    endedForAll_.fill(std::numeric_limits<int64_t>::max());
    for (int s = 0; s < kStreams; ++s) {
      if (left_[s] == 0) continue;
      for (int t = 0; t < kStreams; ++t) {
        const int64_t known = last_[s] < 0 ? -1 : t == s ? last_[s] : before_[last_[s]][t];
        endedForAll_[t] = std::min(endedForAll_[t], known);
      }
    }
  }

  const Plan& plan_;
  const std::vector<BufferSpec>& buffers_;
  const std::vector<Ended> before_;
  std::vector<std::vector<Access>> accesses_;
  std::array<uint32_t, kStreams> left_{};
  Ended last_ = {-1, -1, -1, -1};
  Ended endedForAll_ = {-1, -1, -1, -1};
};

}  // namespace

std::optional<std::string> raceOf(const Plan& plan, const std::vector<BufferSpec>& buffers) {
  return RaceFinder(plan, buffers).find();
}

}  // namespace splitpoint
