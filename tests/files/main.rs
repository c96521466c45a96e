//! Files of certificates, keys and revocation lists as people's tools make them and as editors leave them: what OpenSSL
//! reads pronk reads, or a table says why not.

mod corpus;
mod edited;
mod limits;
mod openssl;
mod reading;
