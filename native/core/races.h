#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/plan.h"

namespace splitpoint {

// Two accesses to the same bytes of a buffer, one of them a write, that neither streams nor dependencies order: named
// in one sentence. Within an operation only norms and activations may write where they read. The columns must be sound.
std::optional<std::string> raceOf(const Plan& plan, const std::vector<BufferSpec>& buffers);

}  // namespace splitpoint
