#pragma once

#include <cstdint>

#include "core/device.h"

namespace splitpoint {

// Of the machine.
uint64_t totalMemoryBytes();
// What this process may still take without pushing the machine, or a control group it is in, to its limit.
uint64_t availableMemoryBytes();

// Memory aligned to 256 bytes whose pages are there already, so that page faults do not fall into timings. Throws
// OutOfMemory, before anything is touched. To be freed by std::free.
void* allocateTouched(Pool pool, uint64_t bytes);

}  // namespace splitpoint
