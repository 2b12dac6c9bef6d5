//! The first owner, made by the link that an empty installation prints.

mod sqlite {
    use ureq::http::Request;

    use crate::support::calls::{Caller, Reply};
    use crate::support::server::Installation;

    fn get(url: &str) -> Reply {
        Caller::new().get(url)
    }

    fn post(url: &str, email: &str) -> Reply {
        let request = Request::post(url)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("Sec-Fetch-Site", "same-origin");
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("email", email)
            .finish();
        Caller::new().try_send(request.body(form).unwrap()).unwrap()
    }

    #[test]
    fn the_first_owner_is_made_by_the_link_that_is_printed_and_nobody_by_it_again() {
        let installation = Installation::sqlite();
        let mut server = installation.start();
        let line = server.printed();
        let link = line
            .trim_end()
            .strip_prefix("Make the first owner at ")
            .unwrap()
            .to_owned();
        let code = link.strip_prefix(&server.admin_url("/console/set-up/")).unwrap();
        assert!(code.starts_with("mmu_"), "{code}");
        assert_eq!(get(&link).status, 200);
        let other = format!("{}x", &link[..link.len() - 1]);
        assert_eq!((get(&other).status, post(&other, "ada@example.com").status), (404, 404));
        let refused = post(&link, "nobody");
        assert_eq!(refused.status, 400);
        assert!(refused.text.contains("id=\"email-fault\""), "{}", refused.text);

        let made = post(&link, "ada@example.com");
        assert_eq!(made.status, 200);
        let cookie = made.header("set-cookie").unwrap();
        assert!(cookie.starts_with("mintmark_session=mmb_"), "{cookie}");
        let (_, rest) = made.text.split_once("id=\"operator-token\"").unwrap();
        let token = rest.split(['>', '<']).nth(1).unwrap().to_owned();
        let who = server.admin(&token).get("/whoami");
        assert_eq!(
            (&who["email"], &who["role"]),
            (&"ada@example.com".into(), &"owner".into())
        );

        assert_eq!((get(&link).status, post(&link, "eve@example.com").status), (404, 404));
        let row = &server.admin(&token).list("/journal?noun=operator")[0];
        assert_eq!(row["actor"], "command line");
        let (code_of_exit, log) = server.stop();
        assert_eq!(code_of_exit, Some(0));
        assert!(log.contains("no owner has a token that works"), "{log}");
        assert!(!log.contains("mmu_") && !log.contains(&token), "{log}");
    }

    #[test]
    fn an_installation_with_an_owner_prints_no_link() {
        let installation = Installation::sqlite();
        installation.owner();
        let mut server = installation.start();
        server.signal(crate::support::server::Signal::Terminate);
        assert_eq!(server.printed(), "", "the stream ends without a word");
    }
}
