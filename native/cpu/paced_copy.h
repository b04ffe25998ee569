#pragma once

#include <atomic>

#include "core/device.h"

namespace splitpoint {

// Copies at `bytesPerSecond`, 0 for as fast as memory allows, or slower where memory does. Returns early when
// cancelled.
void pacedCopy(const Copy& copy, double bytesPerSecond, const std::atomic<bool>& cancelled);

}  // namespace splitpoint
