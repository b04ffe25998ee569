#pragma once

#include "core/device.h"
#include "cpu/blas.h"

namespace splitpoint {

// Multiplies on the calling thread; bias and accumulation are added in fp32 before the one rounding.
void multiply(const Gemm& gemm, const Blas& blas);

}  // namespace splitpoint
