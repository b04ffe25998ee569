#pragma once

#include "core/device.h"

namespace splitpoint::test {

// One for all tests that need none of their own. Never closed: CUDA may be gone when static objects are destroyed.
Device& cuda();

}  // namespace splitpoint::test
