# What the executables have in common: position independent, static where libc.a is there, stripped.
{
  'cflags!': ['-fPIC'],
  'cflags': ['-fPIE'],
  'conditions': [
    ['asan==1', {'ldflags': ['-pie']}, {'ldflags': ['-Wl,-s']}],
    ['asan==0 and static_mode=="static-pie"', {'ldflags': ['-static-pie']}],
    ['asan==0 and static_mode=="static"', {'ldflags': ['-static']}],
    ['asan==0 and static_mode=="dynamic"', {'ldflags': ['-pie', '-static-libgcc', '-static-libstdc++']}],
  ],
}
