#pragma once

#include "core/device.h"

namespace splitpoint {

// The small operations in ordinary memory, on the calling thread.
void embed(const Embed& embed);
void norm(const Norm& norm);
void rope(const Rope& rope);
void activate(const Activate& activate);
void merge(const Merge& merge);
void append(const Append& append);
void fill(const Fill& fill);

}  // namespace splitpoint
