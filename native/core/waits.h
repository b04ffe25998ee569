#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/plan.h"

namespace splitpoint {

// What operations must wait for in other streams: of a plan's dependencies only those that nothing else implies.
class Waits {
 public:
  explicit Waits(const Plan& plan);

  std::span<const uint32_t> of(uint32_t operation) const {
    return std::span(on_).subspan(start_[operation], start_[operation + 1] - start_[operation]);
  }
  // Whether the host's stream waits for an operation of the device, or a stream of the device for one of the host.
  bool crosses(uint32_t operation) const { return crosses_[operation]; }

 private:
  std::vector<uint32_t> start_;
  std::vector<uint32_t> on_;
  std::vector<bool> crosses_;
};

}  // namespace splitpoint
