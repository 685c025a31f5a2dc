//! What became of a call, for every way in which it can fail, with a bare socket as the other side.

use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// How the other side behaves, once it has read the request.
#[derive(Clone, Copy)]
enum Server {
    Says(&'static str),
    /// Says it, and then nothing more; the connection stays open.
    Stalls(&'static str),
    SaysMuch,
}

async fn play(mut socket: TcpStream, server: Server) {
    let mut buffer = [0; 4096];
    let _read = socket.read(&mut buffer).await.unwrap();
    match server {
        Server::Says(text) => socket.write_all(text.as_bytes()).await.unwrap(),
        Server::Stalls(text) => {
            socket.write_all(text.as_bytes()).await.unwrap();
            std::future::pending::<()>().await;
        }
        Server::SaysMuch => {
            let body = vec![b' '; ANSWER_BYTES + 1];
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            socket.write_all(head.as_bytes()).await.unwrap();
            // The reader may have left by then.
            let _gone = socket.write_all(&body).await;
        }
    }
}

async fn call(server: Server) -> Sent {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let request = client().unwrap().post(url).body("x");
    let other_side = async {
        let (socket, _) = listener.accept().await.unwrap();
        play(socket, server).await;
        std::future::pending().await
    };
    tokio::select! {
        sent = send(request, Duration::from_millis(400)) => sent,
        never = other_side => never,
    }
}

fn failed(sent: Sent) -> Option<Cause> {
    match sent {
        Sent::Failed(cause) => Some(cause),
        Sent::Answered(_) => None,
    }
}

fn answered(sent: Sent) -> Answer {
    match sent {
        Sent::Answered(answer) => answer,
        Sent::Failed(cause) => panic!("{cause}"),
    }
}

#[tokio::test]
async fn every_failure_after_the_request_left_is_told_from_one_before() {
    for (server, cause) in [
        (Server::Says(""), Cause::Reset),
        (Server::Says("garbage\r\n\r\n"), Cause::Reset),
        (Server::Says("HTTP/1.1 200 OK\r\nContent-Le"), Cause::Reset),
        (
            Server::Says("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"),
            Cause::Reset,
        ),
        (Server::Stalls(""), Cause::TimedOut),
        (
            Server::Stalls("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"),
            Cause::TimedOut,
        ),
    ] {
        assert_eq!(failed(call(server).await), Some(cause));
    }
}

#[tokio::test]
async fn a_refused_connection_and_an_unknown_name_are_surely_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    for url in [closed.as_str(), "http://nowhere.invalid/"] {
        let request = client().unwrap().post(url).body("x");
        let sent = send(request, Duration::from_secs(4)).await;
        assert_eq!(failed(sent), Some(Cause::Connect), "{url}");
    }
}

#[tokio::test]
async fn a_failed_tls_handshake_is_surely_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let other_side = async {
        let (socket, _) = listener.accept().await.unwrap();
        play(socket, Server::Says("HTTP/1.1 400 Bad Request\r\n\r\n")).await;
        std::future::pending().await
    };
    let sent = tokio::select! {
        sent = send(client().unwrap().post(url).body("x"), Duration::from_secs(4)) => sent,
        never = other_side => never,
    };
    assert_eq!(failed(sent), Some(Cause::Connect));
}

#[tokio::test]
async fn a_time_out_while_connecting_is_surely_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    // The system accepts the connection; nobody answers the TLS greeting, which is part of connecting.
    let client = client_with(Duration::from_millis(100)).unwrap();
    let sent = send(client.post(url).body("x"), Duration::from_secs(4)).await;
    assert_eq!(failed(sent), Some(Cause::Connect));
}

#[tokio::test]
async fn a_kept_connection_that_dies_under_the_second_call_is_a_reset() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let client = client().unwrap();
    let other_side = async {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 4096];
        let _first = socket.read(&mut buffer).await.unwrap();
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
        socket.write_all(answer.as_bytes()).await.unwrap();
        let _second = socket.read(&mut buffer).await.unwrap();
        drop(socket);
        // A resend would come here and be answered.
        let (socket, _) = listener.accept().await.unwrap();
        play(socket, Server::Says(answer)).await;
        std::future::pending().await
    };
    let calls = async {
        let timeout = Duration::from_secs(4);
        let first = send(client.post(&url).body("1"), timeout).await;
        assert_eq!(answered(first).body, b"{}");
        send(client.post(&url).body("2"), timeout).await
    };
    let second = tokio::select! {
        sent = calls => sent,
        never = other_side => never,
    };
    assert_eq!(failed(second), Some(Cause::Reset));
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let redirect =
        "HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(answered(call(Server::Says(redirect)).await).status, 307);
}

#[tokio::test]
async fn an_answer_that_is_too_long_counts_as_empty() {
    let answer = answered(call(Server::SaysMuch).await);
    assert_eq!((answer.status, answer.body.len()), (200, 0));
}

#[test]
fn the_reaction_follows_from_the_status_and_the_purpose() {
    let not_done = |cause| CallError::NotDone {
        cause,
        retry_after: Some(Duration::from_secs(7)),
    };
    let unknown = |cause| CallError::Unknown { cause };
    let refused = |code: &str| CallError::Refused { code: code.into() };
    let broken = |code: &str| CallError::Broken { code: code.into() };
    for (status, on_charge, on_read) in [
        (302, unknown(Cause::Unreadable), refused("unreadable")),
        (400, refused("word"), refused("word")),
        (401, broken("word"), broken("word")),
        (403, broken("word"), broken("word")),
        (404, refused("word"), refused("word")),
        (408, unknown(Cause::InFlight), not_done(Cause::InFlight)),
        (409, unknown(Cause::InFlight), not_done(Cause::InFlight)),
        (422, refused("word"), refused("word")),
        (
            424,
            unknown(Cause::ServerError),
            not_done(Cause::ServerError),
        ),
        (
            429,
            not_done(Cause::RateLimited),
            not_done(Cause::RateLimited),
        ),
        (
            500,
            unknown(Cause::ServerError),
            not_done(Cause::ServerError),
        ),
        (
            503,
            unknown(Cause::ServerError),
            not_done(Cause::ServerError),
        ),
        (
            599,
            unknown(Cause::ServerError),
            not_done(Cause::ServerError),
        ),
    ] {
        let headers = [(reqwest::header::RETRY_AFTER, "7".parse().unwrap())];
        let answer = Answer::new(status, headers.into_iter().collect(), Vec::new());
        let reaction = |purpose| answer.refusal(purpose, Some("word"));
        assert_eq!(reaction(Purpose::Charge), on_charge, "{status}");
        assert_eq!(reaction(Purpose::Read), on_read, "{status}");
    }
}

#[test]
fn a_lost_answer_is_in_doubt_on_a_charge_only() {
    for cause in [Cause::TimedOut, Cause::Reset] {
        assert_eq!(
            unanswered(cause, Purpose::Charge),
            CallError::Unknown { cause }
        );
        assert_eq!(unanswered(cause, Purpose::Read).label(), "not_done");
    }
    assert_eq!(
        unanswered(Cause::Connect, Purpose::Charge).label(),
        "not_done"
    );
}

#[test]
fn a_text_for_people_never_becomes_a_code() {
    assert_eq!(code(400, Some("amount_too_small")), "amount_too_small");
    for text in ["Mr. A B <a@example.com>", "", "a b"] {
        assert_eq!(code(400, Some(text)), "http_400");
    }
    assert_eq!(code(404, None), "http_404");
}

#[test]
fn an_id_that_could_climb_out_of_its_path_is_none() {
    assert!(is_path_segment("pi_3A-b"));
    for bad in ["", "..", "a/b", "a?b", "a#b", "a%2e", "ä", "a b"] {
        assert!(!is_path_segment(bad), "{bad:?}");
    }
}

#[test]
fn an_answer_does_not_show_its_body_or_headers_by_debug() {
    let headers = [(reqwest::header::SET_COOKIE, "secret".parse().unwrap())];
    let answer = Answer::new(200, headers.into_iter().collect(), b"secret".to_vec());
    let shown = format!("{:?}", Sent::Answered(answer));
    assert!(
        !shown.contains("secret") && !shown.contains("115"),
        "{shown}"
    );
}

#[test]
fn a_path_goes_behind_the_bases_own() {
    for (base, path, expected) in [
        (
            "http://127.0.0.1:9",
            "/orders/5",
            "http://127.0.0.1:9/orders/5",
        ),
        (
            "https://api.example/3.1/",
            "/payments?limit=2&expand[]=data.charge",
            "https://api.example/3.1/payments?limit=2&expand[]=data.charge",
        ),
        (
            "https://api.example/3.1",
            "/a%2Fb?q=%3F",
            "https://api.example/3.1/a%2Fb?q=%3F",
        ),
    ] {
        let base = base.parse().unwrap();
        assert_eq!(join(&base, path).as_str(), expected);
    }
}
