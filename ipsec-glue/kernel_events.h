#ifndef KE_H
#define KE_H
#include "mip6/ipsec.h"
struct ipsec_kernel_events;
struct ipsec_kernel_events *ipsec_kernel_events_open(int *err);
void ipsec_kernel_events_close(struct ipsec_kernel_events *e);
int ipsec_kernel_events_fd(const struct ipsec_kernel_events *e);
#endif
