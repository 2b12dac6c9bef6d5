//! Who is said to be at the other end: nobody but a trusted proxy may say that it is somebody else.

mod sqlite {
    use serde_json::Value;
    use ureq::http::Request;

    use crate::support::calls::Caller;
    use crate::support::server::Installation;

    /// The `source` of the log line about a refused token request with these headers.
    fn source(trusted: &str, headers: &[(&str, &str)]) -> String {
        let server = Installation::sqlite().with("trusted_proxies", trusted);
        let server = server.start();
        let mut request = Request::post(server.public_url("/qa/token"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        Caller::new()
            .send(request.body("grant_type=client_credentials".to_owned()).unwrap())
            .expect(401);
        let line = server.log().wait_for("token refused");
        let fields: Value = serde_json::from_str(&line).unwrap();
        fields["source"].as_str().expect("the line has a source").to_owned()
    }

    #[test]
    fn a_stranger_is_who_the_socket_says() {
        let forged = [
            ("X-Forwarded-For", "198.51.100.7"),
            ("Forwarded", "for=198.51.100.7"),
            ("X-Real-IP", "198.51.100.7"),
        ];
        assert_eq!(source("", &forged), "127.0.0.1");
        assert_eq!(source("10.0.0.0/8", &forged), "127.0.0.1");
    }

    #[test]
    fn a_trusted_proxy_names_its_caller() {
        let for_one = [("X-Forwarded-For", "198.51.100.7")];
        assert_eq!(source("127.0.0.1", &for_one), "198.51.100.7");
        // The caller wrote the first entry itself; the proxy added the last.
        let with_a_forged_beginning = [("X-Forwarded-For", "203.0.113.9, 198.51.100.7")];
        assert_eq!(source("127.0.0.0/8", &with_a_forged_beginning), "198.51.100.7");
    }

    #[test]
    fn no_other_header_is_believed_even_of_a_trusted_proxy() {
        // A proxy that sets one header passes the others on as the caller wrote them.
        let others = [("Forwarded", "for=203.0.113.9"), ("X-Real-IP", "203.0.113.9")];
        assert_eq!(source("127.0.0.1", &others), "127.0.0.1");
        let beside = [others[0], ("X-Forwarded-For", "198.51.100.7")];
        assert_eq!(source("127.0.0.1", &beside), "198.51.100.7");
    }
}
