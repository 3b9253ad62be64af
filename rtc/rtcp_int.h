/*
 * Numbers of RTCP that reading and writing share.
 */
#ifndef CAMHUB_RTC_RTCP_INT_H
#define CAMHUB_RTC_RTCP_INT_H

#define RTCP_SR        200u
#define RTCP_RR        201u
#define RTCP_SDES      202u
#define RTCP_BYE       203u
#define RTCP_RTPFB     205u
#define RTCP_PSFB      206u
#define RTCP_XR        207u

#define RTPFB_NACK     1u
#define RTPFB_TWCC     15u
#define PSFB_PLI       1u
#define PSFB_FIR       4u
#define PSFB_AFB       15u
#define XR_RRTR        4u
#define XR_DLRR        5u

#define REPORT_BYTES   24u
#define REMB_NAME      0x52454d42u /* "REMB" */
#define TWCC_UNIT_US   250
#define TWCC_TIME_UNIT 64000 /* us, of the reference time */

#endif
