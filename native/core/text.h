#pragma once

#include <sstream>
#include <string>

namespace splitpoint {

// Its arguments as one text.
template <class... Parts>
std::string text(const Parts&... parts) {
  std::ostringstream out;
  out.precision(12);
  (out << ... << parts);
  return out.str();
}

}  // namespace splitpoint
