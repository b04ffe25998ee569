#pragma once

#include <napi.h>

#include <vector>

#include "core/plan.h"

namespace splitpoint::addon {

// A plan as JavaScript holds it (sim/plan/plan.ts). Its columns stay where they are: `arrays` keeps them alive. Numbers
// and names are looked at here, what they mean together by checkPlan. Throws a TypeError for what is not of the right
// type.
struct PlanColumns {
  Plan plan;
  std::vector<BufferSpec> buffers;
  Napi::Array arrays;
};

PlanColumns planColumns(Napi::Value value);

}  // namespace splitpoint::addon
