#include "addon/errors.h"

#include <new>

#include "core/check.h"
#include "core/device.h"
#include "core/names.h"

namespace splitpoint::addon {

namespace {

Napi::Object withCode(Napi::Env env, const char* code, const char* message) {
  const Napi::Object error = Napi::Error::New(env, message).Value();
  error.Set("code", code);
  return error;
}

}  // namespace

Napi::Value errorOf(Napi::Env env, std::exception_ptr exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const Napi::Error& error) {
    return error.Value();
  } catch (const PlanError& error) {
    return withCode(env, "PLAN", error.what());
  } catch (const OutOfMemory& error) {
    const Napi::Object object = withCode(env, "MEMORY", error.what());
    object.Set("pool", nameOf(error.pool));
    object.Set("askedBytes", double(error.asked));
    object.Set("availableBytes", double(error.available));
    return object;
  } catch (const Cancelled& error) {
    return withCode(env, "CANCELLED", error.what());
  } catch (const std::exception& error) {
    return withCode(env, "DEVICE", error.what());
  } catch (...) {
    return withCode(env, "DEVICE", "something failed that says nothing about itself");
  }
}

}  // namespace splitpoint::addon
