#pragma once

#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "core/device.h"
#include "core/plan.h"

namespace splitpoint {

using Command = std::variant<Copy, Embed, Norm, Rope, Activate, Gemm, Attend, Merge, Append>;

// What an operation asks of a device, one after another; nothing for a step's end. `memory` has the address of every
// buffer. Throws PlanError, which names the operation, where its operands are not those of its kind or do not fit each
// other. The columns must be sound.
std::vector<Command> commandsOf(const Plan& plan, uint32_t operation, std::span<const uintptr_t> memory);

void enqueue(Device& device, Stream stream, const Command& command);

}  // namespace splitpoint
