# The installed library, static and shared, from the objects that the tests use too.
# In this tree weft::weft is the static one, unless BUILD_SHARED_LIBS asks for the other.

set(WEFT_SOVERSION 0)
set(_version_script "${PROJECT_SOURCE_DIR}/cmake/weft.map")

weft_lto_whole(weft_objects _whole)
add_library(weft_static STATIC ${_whole})
add_library(weft_shared SHARED ${_whole})
if(WEFT_LTO_IS_ON)
  # The object has one maker, or both libraries would make it at the same time.
  add_dependencies(weft_shared weft_static)
endif()
foreach(_target weft_static weft_shared)
  target_include_directories(${_target} PUBLIC
    "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>"
    "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
  target_link_libraries(${_target} PRIVATE
    Threads::Threads weft::wolfssl weft::cares "$<BUILD_INTERFACE:weft_sanitize>")
  set_target_properties(${_target} PROPERTIES OUTPUT_NAME weft LINKER_LANGUAGE C)
endforeach()
set_target_properties(weft_static PROPERTIES EXPORT_NAME static)
set_target_properties(weft_shared PROPERTIES EXPORT_NAME shared
  VERSION ${PROJECT_VERSION} SOVERSION ${WEFT_SOVERSION} LINK_DEPENDS "${_version_script}")
# The map also keeps the symbols of a static wolfSSL inside.
target_link_options(weft_shared PRIVATE "LINKER:--version-script=${_version_script}")

add_library(weft::static ALIAS weft_static)
add_library(weft::shared ALIAS weft_shared)
if(BUILD_SHARED_LIBS)
  add_library(weft::weft ALIAS weft_shared)
else()
  add_library(weft::weft ALIAS weft_static)
endif()

if(NOT WEFT_INSTALL)
  return()
endif()

include(CMakePackageConfigHelpers)
set(_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/weft")

install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/weft" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
  FILES_MATCHING PATTERN "*.h")
install(TARGETS weft_shared EXPORT weft-shared)
install(TARGETS weft_static EXPORT weft-static)
# Two files: a program that uses the shared library needs neither wolfSSL nor c-ares to be found.
install(EXPORT weft-shared NAMESPACE weft:: DESTINATION "${_package_dir}")
install(EXPORT weft-static NAMESPACE weft:: DESTINATION "${_package_dir}")

set(WEFT_CONFIG_WOLFSSL "${WeftWolfSSL_PREFIX}")
if(NOT WEFT_CONFIG_WOLFSSL)
  set(WEFT_CONFIG_WOLFSSL "system")
endif()
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/weft-config.cmake.in"
  "${PROJECT_BINARY_DIR}/weft-config.cmake" INSTALL_DESTINATION "${_package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/weft-config-version.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES
  "${PROJECT_BINARY_DIR}/weft-config.cmake" "${PROJECT_BINARY_DIR}/weft-config-version.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/FindWeftWolfSSL.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/FindWeftCares.cmake"
  DESTINATION "${_package_dir}")

# What a static link needs: the system's wolfSSL has a .pc file of its own, a private one is named.
set(WEFT_PC_REQUIRES_PRIVATE "libcares")
set(WEFT_PC_LIBS_PRIVATE "-pthread")
if(WeftWolfSSL_PREFIX)
  get_filename_component(_wolfssl_dir "${WeftWolfSSL_LIBRARY}" DIRECTORY)
  string(PREPEND WEFT_PC_LIBS_PRIVATE "-L${_wolfssl_dir} -lwolfssl -lm ")
else()
  string(APPEND WEFT_PC_REQUIRES_PRIVATE ", wolfssl")
endif()
# The prefix is found from where the .pc file lies, so that an installation can be moved.
set(WEFT_PC_PREFIX "${CMAKE_INSTALL_PREFIX}")
if(NOT IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
  file(RELATIVE_PATH _up "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
  string(REGEX REPLACE "/$" "" WEFT_PC_PREFIX "\${pcfiledir}/${_up}")
endif()
cmake_path(APPEND _pc_libdir "\${prefix}" "${CMAKE_INSTALL_LIBDIR}")
cmake_path(APPEND _pc_includedir "\${prefix}" "${CMAKE_INSTALL_INCLUDEDIR}")
configure_file("${PROJECT_SOURCE_DIR}/cmake/weft.pc.in" "${PROJECT_BINARY_DIR}/weft.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/weft.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
