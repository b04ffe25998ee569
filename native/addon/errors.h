#pragma once

#include <napi.h>

#include <exception>
#include <stdexcept>
#include <utility>

namespace splitpoint::addon {

struct Cancelled : std::runtime_error {
  Cancelled() : std::runtime_error("the execution was cancelled") {}
};

// An exception of the core as JavaScript knows it: an Error with a code, PLAN, DEVICE, MEMORY (with pool, askedBytes
// and availableBytes) or CANCELLED. What JavaScript threw stays as it is.
Napi::Value errorOf(Napi::Env env, std::exception_ptr exception);

// Calls `body`; what it throws becomes an exception of JavaScript.
template <class Body>
auto guarded(Napi::Env env, Body&& body) -> decltype(body()) {
  try {
    return body();
  } catch (...) {
    throw Napi::Error(env, errorOf(env, std::current_exception()));
  }
}

}  // namespace splitpoint::addon
