#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/plan.h"

namespace splitpoint {

struct PlanError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// What is wrong with a plan, in one sentence that names the operation, or nothing: columns of unequal length,
// dependencies that are not earlier operations, unknown buffers, streams, kinds, roles or types, operands outside their
// buffer or in the wrong pool, operands that a kind does not take or whose sizes do not fit each other, and conflicting
// accesses that nothing orders. Nothing of a plan may be used before this has passed; it never reads outside the
// columns.
std::optional<std::string> faultOf(const Plan& plan, const std::vector<BufferSpec>& buffers);

// Throws PlanError with the fault.
void checkPlan(const Plan& plan, const std::vector<BufferSpec>& buffers);

}  // namespace splitpoint
