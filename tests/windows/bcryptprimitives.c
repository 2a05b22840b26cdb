/* ProcessPrng for wine before 9, which lacks bcryptprimitives.dll: Rust's standard library draws its randomness there. */
#include <windows.h>
#include <ntsecapi.h>
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T length) { return RtlGenRandom(data, (ULONG)length); }
