#pragma once

#include "core/device.h"
#include "cpu/thread_pool.h"

namespace splitpoint {

// Attention in ordinary memory by the pool's threads, each over a run of the tokens.
void attendOnHost(const Attend& attend, ThreadPool& pool);

}  // namespace splitpoint
