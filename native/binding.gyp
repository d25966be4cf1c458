# Built by build.mjs, which sets `asan` and `static_mode` in GYP_DEFINES. A target exists when it has sources.
{
  'variables': {
    'asan%': 0,
    # How the executables are linked: 'static-pie', 'static', or 'dynamic' where there is no libc.a.
    'static_mode%': 'dynamic',
    'addon_sources%': ['<!@(ls addon/*.cc 2>/dev/null || true)'],
    'monitor_sources%': '<!(ls monitor/*.cc 2>/dev/null || true)',
    'init_sources%': '<!(ls init/*.cc 2>/dev/null || true)',
  },
  'target_defaults': {
    'default_configuration': 'Release',
    'cflags!': ['-O3'],
    'cflags_cc!': ['-std=gnu++17', '-std=gnu++20', '-std=gnu++23'],
    'cflags': [
      '-O2', '-Wall', '-Wextra', '-Werror',
      '-fstack-protector-strong', '-fstack-clash-protection',
      '-ffunction-sections', '-fdata-sections', '-fvisibility=hidden',
    ],
    'cflags_cc': ['-std=c++17'],
    # kernel/ is what all of them include.
    'include_dirs': ['.'],
    'defines': ['_GNU_SOURCE', '_FILE_OFFSET_BITS=64'],
    'ldflags!': ['-rdynamic'],
    'ldflags': ['-Wl,-z,relro,-z,now', '-Wl,-z,noexecstack', '-Wl,--gc-sections'],
    'conditions': [
      ['target_arch=="x64" or target_arch=="ia32"', {'cflags': ['-fcf-protection']}],
      ['asan==1', {
        'cflags': ['-g', '-fsanitize=address,undefined', '-fno-omit-frame-pointer', '-fno-sanitize-recover=undefined'],
        'ldflags': ['-fsanitize=address,undefined'],
      }, {
        'cflags': ['-U_FORTIFY_SOURCE', '-D_FORTIFY_SOURCE=2'],
      }],
    ],
  },
  'targets': [
    {
      'target_name': 'wherry',
      'sources': ['<@(addon_sources)'],
      'include_dirs': ["<!(node -p \"require('node-addon-api').include_dir\")"],
      'defines': ['NAPI_VERSION=9', 'NODE_ADDON_API_DISABLE_DEPRECATED', 'NAPI_DISABLE_CPP_EXCEPTIONS'],
      'libraries': ['-ldl', '-lpthread'],
      # Threads may outlive the worker that loaded it, which unloads what it loaded.
      'ldflags': ['-Wl,-z,nodelete'],
      'conditions': [['asan==0', {'ldflags': ['-Wl,-s']}]],
    },
  ],
  'conditions': [
    ['monitor_sources!=""', {
      'targets': [{
        'target_name': 'wherry-monitor',
        'type': 'executable',
        'product_extension': '',
        'win_delay_load_hook': 'false',
        'sources': ['<!@(ls monitor/*.cc)'],
        'cflags_cc': ['-fno-exceptions', '-fno-rtti'],
        'includes': ['executable.gypi'],
      }],
    }],
    ['init_sources!=""', {
      'targets': [{
        'target_name': 'wherry-init',
        'type': 'executable',
        'product_extension': '',
        'win_delay_load_hook': 'false',
        'sources': ['<!@(ls init/*.cc)'],
        'cflags_cc': ['-fno-exceptions', '-fno-rtti'],
        'includes': ['executable.gypi'],
      }],
    }],
  ],
}
