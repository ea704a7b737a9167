# A contract is reached through an include root of its own, so that an undeclared include does not compile:
#   loggia::kernel         include/loggia/kernel
#   loggia::ids            include/loggia/ids.hpp alone; everyone has it but the kernel
#   loggia::chat.contract  what others may ask: include/loggia/chat
#   loggia::chat.events    what others may hear: include/loggia/chat/events.hpp alone
#   loggia::chat           the service behind it; its own headers are visible to it alone
function(loggia_include_root root path)
  set(link ${CMAKE_BINARY_DIR}/roots/${root}/loggia/${path})
  cmake_path(GET link PARENT_PATH folder)
  file(MAKE_DIRECTORY ${folder})
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/include/loggia/${path} ${link} SYMBOLIC)
  set(root ${CMAKE_BINARY_DIR}/roots/${root} PARENT_SCOPE)
endfunction()

# Every public header compiles alone: `ninja all_verify_interface_header_sets`.
function(loggia_headers name root)
  add_library(loggia_${name} INTERFACE)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS FOLLOW_SYMLINKS ${root}/*.hpp)
  target_sources(loggia_${name} INTERFACE FILE_SET HEADERS BASE_DIRS ${root} FILES ${headers})
  set_target_properties(loggia_${name} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
  target_link_libraries(loggia_${name} INTERFACE ${ARGN})
endfunction()

function(loggia_ids)
  loggia_include_root(ids ids.hpp)
  loggia_headers(ids ${root} loggia::kernel)
  add_library(loggia::ids ALIAS loggia_ids)
endfunction()

# For every module before any loggia_module(), since modules name each other's headers in both directions.
function(loggia_contract name)
  loggia_include_root(${name} ${name})
  loggia_headers(${name}_contract ${root} loggia::kernel loggia::ids)
  add_library(loggia::${name}.contract ALIAS loggia_${name}_contract)
  if(EXISTS ${PROJECT_SOURCE_DIR}/include/loggia/${name}/events.hpp)
    loggia_include_root(${name}.events ${name}/events.hpp)
    loggia_headers(${name}_events ${root} loggia::kernel loggia::ids)
    add_library(loggia::${name}.events ALIAS loggia_${name}_events)
  endif()
endfunction()

# loggia_module(chat NEEDS user HEARS auth LINKS PkgConfig::utf8proc): every *.cpp of the folder, and migrations/NNNN_name.sql
# compiled in as migrations(), each with the same step for PostgreSQL, migrations/postgres/NNNN_name.sql, where one text does not serve both.
function(loggia_module name)
  cmake_parse_arguments(PARSE_ARGV 1 module "" "" "NEEDS;HEARS;LINKS")
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  file(GLOB steps CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/migrations/*.sql)
  if(steps)
    loggia_migrations(loggia::${name} ${CMAKE_CURRENT_BINARY_DIR}/migrations.cpp ${steps})
    list(APPEND sources ${CMAKE_CURRENT_BINARY_DIR}/migrations.cpp)
  endif()
  add_library(loggia_${name} STATIC ${sources})
  add_library(loggia::${name} ALIAS loggia_${name})
  target_include_directories(loggia_${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  # What costs time at run time is in the kernel, which has -O2: modules with it are no faster (docs/decisions/0008) and take a fifth longer here.
  target_compile_options(loggia_${name} PRIVATE $<$<CONFIG:Release>:-O1>)
  file(GLOB services CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*service.cpp)
  set_source_files_properties(${services} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  list(TRANSFORM module_NEEDS REPLACE "(.+)" "loggia::\\1.contract")
  list(TRANSFORM module_HEARS REPLACE "(.+)" "loggia::\\1.events")
  if(NOT TARGET loggia::${name}.contract)
    # A module that nobody asks anything: its own folder is all there is, and main.cpp includes "modules/NAME/module.hpp".
    target_link_libraries(loggia_${name} PUBLIC loggia::kernel loggia::ids)
  else()
    target_link_libraries(loggia_${name} PUBLIC loggia::${name}.contract)
  endif()
  target_link_libraries(loggia_${name} PRIVATE ${module_NEEDS} ${module_HEARS} ${module_LINKS})
  set_property(GLOBAL APPEND PROPERTY LOGGIA_MODULES loggia_${name})
endfunction()

# NAMESPACE::migrations(), declared by the module itself, from numbered files.
function(loggia_migrations namespace output)
  set(text "#include \"loggia/kernel/storage.hpp\"\nnamespace ${namespace} {\nstd::vector<Migration> migrations();\nstd::vector<Migration> migrations() {\n  return {\n")
  foreach(step ${ARGN})
    cmake_path(GET step STEM stem)
    string(REGEX MATCH "^0*([0-9]+)_(.+)$" matched ${stem})
    if(NOT matched)
      message(FATAL_ERROR "${step}: a migration is named NNNN_name.sql")
    endif()
    file(READ ${step} sql)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${step})
    set(number ${CMAKE_MATCH_1})
    set(title ${CMAKE_MATCH_2})
    cmake_path(GET step PARENT_PATH folder)
    set(there "")
    if(EXISTS ${folder}/postgres/${stem}.sql)
      file(READ ${folder}/postgres/${stem}.sql there)
      set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${folder}/postgres/${stem}.sql)
    endif()
    string(APPEND text "    {${number}, \"${title}\", R\"sql(${sql})sql\", R\"sql(${there})sql\"},\n")
  endforeach()
  string(APPEND text "  };\n}\n}\n")
  file(CONFIGURE OUTPUT ${output} CONTENT "${text}" @ONLY)
endfunction()
