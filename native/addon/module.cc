#include <napi.h>

#include "addon/devices.h"
#include "addon/errors.h"
#include "addon/plan_columns.h"
#include "addon/session.h"
#include "addon/values.h"
#include "core/check.h"
#include "core/host_read_rate.h"

// The functions of Native in exec/native.ts.

namespace splitpoint::addon {

namespace {

constexpr uint64_t kMostThreads = 1024;

Napi::Value probe(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    if (!info[0].IsString()) throwExpected(info[0], "the backend", "\"cpu\" or \"cuda\"");
    const Napi::Object result = Napi::Object::New(info.Env());
    try {
      result.Set("info", infoObject(info.Env(), openDevice(info[0].As<Napi::String>(), info[1])->info()));
    } catch (const DeviceError& error) {
      result.Set("missing", error.what());
    }
    return result;
  });
}

Napi::Value planFault(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const PlanColumns columns = planColumns(info[0]);
    const std::optional<std::string> fault = faultOf(columns.plan, columns.buffers);
    return fault ? Napi::Value(Napi::String::New(info.Env(), *fault)) : info.Env().Null();
  });
}

Napi::Value open(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value { return Session::open(info.Env(), info[0], info[1]); });
}

Napi::Value readRate(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const uint64_t bytes = asWhole(info[0], "bytes"), threads = asWhole(info[1], "threads", kMostThreads);
    if (bytes == 0) throwExpected(info[0], "bytes", "at least 1");
    if (threads == 0) throwExpected(info[1], "threads", "at least 1");
    return Napi::Number::New(info.Env(), hostReadRate(bytes, uint32_t(threads)));
  });
}

Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  exports.Set("probe", Napi::Function::New(env, probe, "probe"));
  exports.Set("faultOf", Napi::Function::New(env, planFault, "faultOf"));
  exports.Set("open", Napi::Function::New(env, open, "open"));
  exports.Set("hostReadRate", Napi::Function::New(env, readRate, "hostReadRate"));
  return exports;
}

}  // namespace

NODE_API_MODULE(splitpoint, initialise)

}  // namespace splitpoint::addon
