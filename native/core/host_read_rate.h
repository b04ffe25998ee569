#pragma once

#include <cstdint>

namespace splitpoint {

// Bytes per second at which so many threads together read memory: the best of a few passes over `bytes`. Throws
// std::bad_alloc.
double hostReadRate(uint64_t bytes, uint32_t threads);

}  // namespace splitpoint
