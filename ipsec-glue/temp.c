#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <netinet/in.h>
#include <linux/xfrm.h>
#include <linux/netlink.h>
#include "ipsec-glue/sender.h"
#include "ipsec-glue/kernel_events.h"
#include "ipsec-glue/algorithm.h"
#include "ipsec-glue/xfrm.h"
#include "lib/netlink.h"
struct ipsec_sender { struct nlreq *x; ipsec_pause_fn *fn; void *ctx; uint32_t oseq; };
struct ipsec_kernel_events { int fd; };
struct ipsec_kernel_events *ipsec_kernel_events_open(int *err){ struct ipsec_kernel_events*e=calloc(1,sizeof*e); e->fd=dup(0); *err=0; return e; }
void ipsec_kernel_events_close(struct ipsec_kernel_events *e){ free(e);} 
int ipsec_kernel_events_fd(const struct ipsec_kernel_events *e){return e->fd;}
struct ipsec_sender *ipsec_sender_open(int *err){ struct ipsec_sender*s=calloc(1,sizeof*s); s->x=nlreq_open(NETLINK_XFRM,err); return s; }
void ipsec_sender_close(struct ipsec_sender *s){ if(s){nlreq_close(s->x); free(s);} }
void ipsec_sender_pauses(struct ipsec_sender *s, ipsec_pause_fn *fn, void *ctx){s->fn=fn;s->ctx=ctx;}
struct ipsec_keys;
static struct xfrm_lifetime_cfg lim(void){ return (struct xfrm_lifetime_cfg){.soft_byte_limit=XFRM_INF,.hard_byte_limit=XFRM_INF,.soft_packet_limit=XFRM_INF,.hard_packet_limit=XFRM_INF}; }
static struct xfrm_selector sel(const struct ipsec_selector *s){ struct xfrm_selector x={.family=s->family,.proto=s->proto,.prefixlen_s=s->src.plen,.prefixlen_d=s->dst.plen}; memcpy(&x.saddr,&s->src.addr,16); memcpy(&x.daddr,&s->dst.addr,16); if(s->type>=0){x.sport=htons((uint16_t)s->type); x.sport_mask=0xffff;} return x; }
static struct nl_msg *sa_add(const struct ipsec_sa *s){
 struct xfrm_usersa_info h={.family=AF_INET6,.mode=(uint8_t)s->mode,.reqid=s->reqid,.flags=XFRM_STATE_AF_UNSPEC,.lft=lim()}; char b[512]; memset(b,0,sizeof b);
 memcpy(&h.saddr,&s->src,16); memcpy(&h.id.daddr,&s->dst,16); h.id.spi=htonl(s->spi); h.id.proto=50;
 struct nl_msg*m=nlreq_msg(XFRM_MSG_NEWSA,NLM_F_CREATE|NLM_F_EXCL,&h,sizeof h);
 if(s->algorithm->aead){ struct xfrm_algo_aead*a=(void*)b; strcpy(a->alg_name,s->algorithm->aead); a->alg_key_len=s->algorithm->key_len*8u; a->alg_icv_len=s->algorithm->icv_bits; memcpy(a->alg_key,s->key.octets,s->algorithm->key_len); nla_put(m,XFRMA_ALG_AEAD,(int)(sizeof*a+s->algorithm->key_len),a);} 
 else { struct xfrm_algo*a=(void*)b; strcpy(a->alg_name,s->algorithm->crypt); a->alg_key_len=s->algorithm->key_len*8u; memcpy(a->alg_key,s->key.octets,s->algorithm->key_len); nla_put(m,XFRMA_ALG_CRYPT,(int)(sizeof*a+s->algorithm->key_len),a); memset(b,0,sizeof b); struct xfrm_algo_auth*t=(void*)b; strcpy(t->alg_name,s->algorithm->auth); t->alg_key_len=s->algorithm->auth_key_len*8u; t->alg_trunc_len=s->algorithm->icv_bits; memcpy(t->alg_key,s->key.octets+s->algorithm->key_len,s->algorithm->auth_key_len); nla_put(m,XFRMA_ALG_AUTH_TRUNC,(int)(sizeof*t+s->algorithm->auth_key_len),t);} 
 memset(b,0,sizeof b); struct xfrm_replay_state_esn*e=(void*)b; e->bmp_len=s->replay_window?128:1; e->replay_window=s->replay_window?4096:32; e->oseq=(uint32_t)s->sent; e->seq=(uint32_t)s->received; nla_put(m,XFRMA_REPLAY_ESN_VAL,(int)(sizeof*e+4*e->bmp_len),e);
 return m; }
static struct nl_msg *pol(const struct ipsec_policy *p){
 struct xfrm_userpolicy_info h={.sel=sel(&p->sel),.lft=lim(),.priority=p->priority,.dir=(uint8_t)p->dir,.action=p->block,.share=XFRM_SHARE_ANY};
 struct xfrm_user_tmpl t[4]; memset(t,0,sizeof t); struct nl_msg*m=nlreq_msg(XFRM_MSG_UPDPOLICY,NLM_F_REPLACE,&h,sizeof h);
 for(size_t i=0;i<p->n_templates;i++){ const struct ipsec_template*q=&p->templates[i]; t[i].id.proto=q->proto; memcpy(&t[i].id.daddr,&q->dst,16); memcpy(&t[i].saddr,&q->src,16); t[i].family=AF_INET6; t[i].mode=(uint8_t)q->mode; t[i].reqid=q->reqid; t[i].optional=q->optional; t[i].aalgos=t[i].ealgos=t[i].calgos=~0u; }
 if(p->n_templates) { nla_put(m,XFRMA_TMPL,(int)(p->n_templates*sizeof t[0]),t); }
 return m; }
static int gone(int e){return e==-ESRCH||e==-ENOENT?0:e;}
static int one(struct ipsec_sender*s,const struct ipsec_op*o){
 struct xfrm_ro_state r;
 switch(o->type){
 case IPSEC_SA_ADD: return nlreq_do(s->x,sa_add(&o->sa));
 case IPSEC_SA_DEL: { struct xfrm_usersa_id h={.family=AF_INET6,.proto=50,.spi=htonl(o->sa.spi)}; memcpy(&h.daddr,&o->sa.dst,16); return gone(nlreq_do(s->x,nlreq_msg(XFRM_MSG_DELSA,0,&h,sizeof h))); }
 case IPSEC_POLICY_SET: return nlreq_do(s->x,pol(&o->policy));
 case IPSEC_POLICY_DEL: { struct xfrm_userpolicy_id h={.sel=sel(&o->policy.sel),.dir=(uint8_t)o->policy.dir}; return gone(nlreq_do(s->x,nlreq_msg(XFRM_MSG_DELPOLICY,0,&h,sizeof h))); }
 case IPSEC_RO_SET: r=(struct xfrm_ro_state){.src=o->ro.src,.dst=o->ro.dst,.care_of=o->ro.care_of,.proto=o->ro.proto}; return xfrm_state_set(s->x,&r);
 case IPSEC_RO_DEL: r=(struct xfrm_ro_state){.src=o->ro.src,.dst=o->ro.dst,.proto=o->ro.proto}; return gone(nlreq_do(s->x,xfrm_state_del_msg(&r)));
 case IPSEC_MIGRATE: { struct xfrm_userpolicy_id h={.sel=sel(&o->migrate.sel),.dir=(uint8_t)o->migrate.dir}; struct xfrm_user_migrate g={.proto=50,.mode=(uint8_t)o->migrate.mode,.reqid=o->migrate.reqid,.old_family=AF_INET6,.new_family=AF_INET6}; memcpy(&g.old_daddr,&o->migrate.old_dst,16); memcpy(&g.old_saddr,&o->migrate.old_src,16); memcpy(&g.new_daddr,&o->migrate.new_dst,16); memcpy(&g.new_saddr,&o->migrate.new_src,16);
   struct nl_msg*m=nlreq_msg(XFRM_MSG_MIGRATE,0,&h,sizeof h); struct xfrm_userpolicy_type t={.type=0}; nla_put(m,XFRMA_POLICY_TYPE,sizeof t,&t); nla_put(m,XFRMA_MIGRATE,sizeof g,&g); 
   if(o->migrate.tell){ struct xfrm_user_kmaddress k={.family=AF_INET6}; memcpy(&k.local,&o->migrate.local,16); memcpy(&k.remote,&o->migrate.remote,16); nla_put(m,XFRMA_KMADDRESS,sizeof k,&k);} return nlreq_do(s->x,m); }
 case IPSEC_PAUSE: return s->fn?s->fn(s->ctx,&o->pause,true):0;
 case IPSEC_RESUME: return s->fn?s->fn(s->ctx,&o->pause,false):0;
 case IPSEC_SA_STOP: case IPSEC_SA_SKIP: case IPSEC_SA_LIMITS: return 0;
 }
 return 0; }
int ipsec_sender_do(struct ipsec_sender *s, const struct ipsec_plan *p, struct ipsec_failure *f){ for(size_t i=0;i<p->n;i++){ int e=one(s,&p->ops[i]); if(e){ f->op=i; f->error=e; snprintf(f->why,sizeof f->why,"%s",nlreq_why(s->x)); return e; } } return 0; }
static int rd(const struct nlmsghdr*h, struct ipsec_sa_info*o){ struct xfrm_usersa_info i; if(h->nlmsg_type!=XFRM_MSG_NEWSA) return -1; memcpy(&i,NLMSG_DATA((void*)h),sizeof i); if(i.id.proto!=50) return -1; memset(o,0,sizeof*o); memcpy(&o->sa.src,&i.saddr,16); memcpy(&o->sa.dst,&i.id.daddr,16); o->sa.spi=ntohl(i.id.spi); o->sa.reqid=i.reqid; o->sa.mode=i.mode; o->packets=i.curlft.packets; return 0; }
struct w { ipsec_walk_fn*fn; void*arg; };
static int wf(void*a,const struct nlmsghdr*h){ struct w*w=a; struct ipsec_sa_info o; return rd(h,&o)?0:w->fn(w->arg,&o); }
int ipsec_sender_walk(struct ipsec_sender *s, ipsec_walk_fn *fn, void *arg){ struct w w={fn,arg}; return nlreq_dump(s->x,nlreq_msg(XFRM_MSG_GETSA,0,NULL,0),wf,&w); }
static int of(void*a,const struct nlmsghdr*h){ rd(h,a); return 0; }
int ipsec_sender_sa(struct ipsec_sender *s, const struct in6_addr *dst, uint32_t spi, struct ipsec_sa_info *out){ struct xfrm_usersa_id h={.family=AF_INET6,.proto=50,.spi=htonl(spi)}; memcpy(&h.daddr,dst,16); return nlreq_get(s->x,nlreq_msg(XFRM_MSG_GETSA,0,&h,sizeof h),of,out); }
