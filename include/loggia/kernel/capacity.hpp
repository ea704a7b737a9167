#pragma once
// Capacity that a crowd or one large thing made something take, and that is not needed any more.
#include <cstddef>
#include <string>
#include <vector>

namespace loggia {

/// Gives the rest back where less than a quarter of much is needed, so that what comes and goes does not allocate each time.
template <class T> void give_back_capacity(std::vector<T>& vector, std::size_t needed) {
  constexpr std::size_t little = 1024;
  if (vector.capacity() > little && needed < vector.capacity() / 4) vector.shrink_to_fit();
}
/// Empty, and holds no memory. To be assigned an empty one does not do: libstdc++ copies its nothing, and keeps what it has.
inline void give_back(std::string& text) { std::string().swap(text); }

template <class T> void give_back_capacity(std::vector<T>& vector) { give_back_capacity(vector, vector.size()); }

}  // namespace loggia
