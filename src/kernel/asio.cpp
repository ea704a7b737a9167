// The one place where Asio is compiled (BOOST_ASIO_SEPARATE_COMPILATION). Beast is header-only: a single file reads it.
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
