#pragma once

#include <napi.h>

#include <memory>
#include <string>

#include "core/device.h"

namespace splitpoint::addon {

// The device that `backend` and DeviceOptions (exec/native.ts) ask for. Throws DeviceError, which says what is missing.
std::unique_ptr<Device> openDevice(const std::string& backend, Napi::Value options);

// DeviceInfo of exec/native.ts.
Napi::Object infoObject(Napi::Env env, const DeviceInfo& info);

}  // namespace splitpoint::addon
