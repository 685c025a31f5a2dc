//! TLS to the stores, with real servers and certificates of the test's own authority: what is right works end to end, what is wrong
//! is refused with the name of the setting to change.

mod certificates;

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::{ConnectOptions, Connection, Executor, PgConnection};

use self::certificates::{Authority, Pair as Certificate, Validity};
use crate::harness::{OwnServers, Pair, Setup, Stores, World, free_port, run};

/// What both servers' certificates are for. The wrong name for the same machine is `localhost`.
const HOST: &str = "127.0.0.1";

struct Site {
    servers: OwnServers,
    folder: PathBuf,
    amqps_port: u16,
    ours: Authority,
    stranger: Authority,
}

impl Site {
    /// RabbitMQ listens with TLS and asks for a certificate; PostgreSQL has no TLS yet.
    fn start() -> Site {
        let folder = std::env::temp_dir().join(format!("connector-tls-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(&folder).unwrap();
        let (ours, stranger) = (Authority::new("ours"), Authority::new("a stranger's"));
        let amqps_port = free_port();
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        write("ca.pem", &ours.certificate());
        write("stranger.pem", &stranger.certificate());
        let client = ours.issue("connector", Validity::Now);
        write("client.pem", &client.certificate);
        write("client.key", &client.key);
        let broker = ours.issue(HOST, Validity::Now);
        write("broker.pem", &broker.certificate);
        write("broker.key", &broker.key);
        let at = folder.display();
        let settings = format!(
            "listeners.ssl.1 = 127.0.0.1:{amqps_port}\n\
             ssl_options.cacertfile = {at}/ca.pem\n\
             ssl_options.certfile = {at}/broker.pem\n\
             ssl_options.keyfile = {at}/broker.key\n\
             ssl_options.verify = verify_peer\n\
             ssl_options.fail_if_no_peer_cert = true\n"
        );
        let settings = write("rabbitmq-tls.conf", &settings);
        let servers = OwnServers::start_with("tls", Some(&settings));
        Site {
            servers,
            folder,
            amqps_port,
            ours,
            stranger,
        }
    }

    fn file(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    fn amqps(&self, host: &str) -> String {
        format!("amqps://test:test@{host}:{}/%2f", self.amqps_port)
    }

    /// The URL of a database with TLS and an authority.
    fn database(&self, plain: &str, host: &str, authority: &str) -> String {
        let mut url = url::Url::parse(plain).unwrap();
        url.set_host(Some(host)).unwrap();
        url.query_pairs_mut()
            .append_pair("sslmode", "verify-full")
            .append_pair("sslrootcert", &self.file(authority));
        url.to_string()
    }

    /// RabbitMQ shows this certificate to whoever connects from now on.
    async fn broker_shows(&self, certificate: &Certificate) {
        std::fs::write(self.folder.join("broker.pem"), &certificate.certificate).unwrap();
        std::fs::write(self.folder.join("broker.key"), &certificate.key).unwrap();
        self.servers
            .tell(&["ctl", "eval", "ssl:clear_pem_cache()."])
            .await;
    }

    /// PostgreSQL shows this certificate to whoever connects from now on.
    async fn database_shows(&self, certificate: &Certificate) {
        let options: sqlx::postgres::PgConnectOptions = self.servers.urls.database.parse().unwrap();
        let mut admin = options.connect().await.unwrap();
        // A new name each time: that the settings are in force is then seen in them.
        let name = uuid::Uuid::new_v4().simple().to_string();
        let data: String = sqlx::query_scalar("SHOW data_directory")
            .fetch_one(&mut admin)
            .await
            .unwrap();
        let owner = std::fs::metadata(&data).unwrap().uid();
        for (kind, text) in [("pem", &certificate.certificate), ("key", &certificate.key)] {
            let path = self.folder.join(format!("{name}.{kind}"));
            std::fs::write(&path, text).unwrap();
            for_its_owner_alone(&path, owner);
            set(&mut admin, kind, &path).await;
        }
        admin.execute("ALTER SYSTEM SET ssl = on").await.unwrap();
        admin.execute("SELECT pg_reload_conf()").await.unwrap();
        admin.close().await.unwrap();
        self.in_force(&name).await;
    }

    async fn in_force(&self, name: &str) {
        let options: sqlx::postgres::PgConnectOptions = self.servers.urls.database.parse().unwrap();
        for _ in 0..100 {
            // A connection's process has the settings that were in force when it began.
            let mut fresh = options.connect().await.unwrap();
            let shown: String = sqlx::query_scalar(
                "SELECT current_setting('ssl') || current_setting('ssl_key_file')",
            )
            .fetch_one(&mut fresh)
            .await
            .unwrap();
            fresh.close().await.unwrap();
            if shown.starts_with("on") && shown.contains(name) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("PostgreSQL did not take the certificate {name}");
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

async fn set(admin: &mut PgConnection, kind: &str, path: &Path) {
    let setting = match kind {
        "pem" => "ssl_cert_file",
        _ => "ssl_key_file",
    };
    let statement = format!("ALTER SYSTEM SET {setting} = '{}'", path.display());
    admin.execute(sqlx::AssertSqlSafe(statement)).await.unwrap();
}

/// PostgreSQL takes no key that others may read, and runs as another user where the tests run as root.
fn for_its_owner_alone(path: &Path, owner: u32) {
    use std::os::unix::fs::{PermissionsExt, chown};
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    chown(path, Some(owner), None).unwrap();
}

/// The command ends with 1 and says all of these words.
fn refused(arguments: &[&str], env: &BTreeMap<String, String>, words: &[&str]) {
    let (code, _, told) = run(arguments, env);
    assert_eq!(code, 1, "{arguments:?}: {told}");
    for word in words {
        assert!(told.contains(word), "{arguments:?}: {word:?} in {told}");
    }
    assert!(!told.contains("test:test"), "{told}");
}

fn with(env: &BTreeMap<String, String>, changes: &[(&str, String)]) -> BTreeMap<String, String> {
    let mut changed = env.clone();
    changed.extend(
        changes
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone())),
    );
    changed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stores_are_reached_over_tls_and_refused_when_their_certificate_is_wrong() {
    let site = Site::start();
    let stores = Stores::make_on(site.servers.urls.clone(), Pair::Servers, &site.folder).await;
    let plain =
        stores.env().into_iter().collect::<BTreeMap<_, _>>()["CONNECTOR_LEDGER__URL"].clone();
    let setup = Setup {
        env: vec![
            ("CONNECTOR_BROKER__URL", site.amqps(HOST)),
            ("CONNECTOR_BROKER__CA_FILE", site.file("ca.pem")),
            (
                "CONNECTOR_BROKER__CLIENT_CERTIFICATE_FILE",
                site.file("client.pem"),
            ),
            ("CONNECTOR_BROKER__CLIENT_KEY_FILE", site.file("client.key")),
            (
                "CONNECTOR_LEDGER__URL",
                site.database(&plain, HOST, "ca.pem"),
            ),
        ],
        ..Setup::default()
    };
    // Its folder lies in the site's: a world removes its own.
    let inside = site.folder.join("world");
    std::fs::create_dir_all(&inside).unwrap();
    let mut world = World::prepare_on(stores, inside, setup).await;
    let env = world.env.clone();

    let no_tls = ["ledger.url", "does not support TLS"];
    refused(&["payments", "list"], &env, &no_tls);
    site.database_shows(&site.ours.issue(HOST, Validity::Now))
        .await;

    world.run("all", &[]);
    world.ready(&world.ops.clone()).await;
    let (id, _) = world.pay("simulated", "tok_ok").await;
    world.settled(&id, "captured", "delivered").await;
    let connections = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND";
    assert!(world.stores.count(&format!("{connections} ssl")).await > 0);
    assert_eq!(
        world.stores.count(&format!("{connections} NOT ssl")).await,
        0
    );
    let listed = site
        .servers
        .ask(&["ctl", "-q", "list_connections", "ssl", "--no-table-headers"])
        .await
        .unwrap();
    assert!(
        listed.contains("true") && !listed.contains("false"),
        "{listed}"
    );

    the_broker_is_refused(&site, &env).await;
    the_database_is_refused(&site, &env, &plain).await;
}

async fn the_broker_is_refused(site: &Site, env: &BTreeMap<String, String>) {
    let look = ["topology", "diff"];
    let stranger = [("CONNECTOR_BROKER__CA_FILE", site.file("stranger.pem"))];
    refused(
        &look,
        &with(env, &stranger),
        &["authority that is not trusted", "broker.ca"],
    );
    let other_name = [("CONNECTOR_BROKER__URL", site.amqps("localhost"))];
    refused(
        &look,
        &with(env, &other_name),
        &["another host", "broker.url"],
    );
    let mut nobody = env.clone();
    nobody.retain(|name, _| !name.contains("BROKER__CLIENT"));
    refused(&look, &nobody, &["broker.client_certificate"]);
    let unknown = site.stranger.issue("connector", Validity::Now);
    std::fs::write(site.folder.join("unknown.pem"), &unknown.certificate).unwrap();
    std::fs::write(site.folder.join("unknown.key"), &unknown.key).unwrap();
    let unknown = [
        (
            "CONNECTOR_BROKER__CLIENT_CERTIFICATE_FILE",
            site.file("unknown.pem"),
        ),
        (
            "CONNECTOR_BROKER__CLIENT_KEY_FILE",
            site.file("unknown.key"),
        ),
    ];
    refused(&look, &with(env, &unknown), &["broker.client_certificate"]);
    let plain_port = [(
        "CONNECTOR_BROKER__URL",
        site.servers.urls.amqp.replace("amqp:", "amqps:"),
    )];
    refused(
        &look,
        &with(env, &plain_port),
        &["RabbitMQ is not believed", "no TLS"],
    );
    site.broker_shows(&site.ours.issue(HOST, Validity::Over))
        .await;
    refused(&look, env, &["has expired"]);
}

async fn the_database_is_refused(site: &Site, env: &BTreeMap<String, String>, plain: &str) {
    let look = ["payments", "list"];
    let at = |host: &str, authority: &str| {
        [(
            "CONNECTOR_LEDGER__URL",
            site.database(plain, host, authority),
        )]
    };
    let stranger = with(env, &at(HOST, "stranger.pem"));
    refused(
        &look,
        &stranger,
        &["authority that is not trusted", "sslrootcert in ledger.url"],
    );
    let other_name = with(env, &at("localhost", "ca.pem"));
    refused(&look, &other_name, &["another host", "ledger.url"]);
    site.database_shows(&site.ours.issue(HOST, Validity::Over))
        .await;
    refused(&look, env, &["has expired"]);
}

#[test]
fn files_of_certificates_are_looked_at_before_anything_is_opened() {
    let folder = std::env::temp_dir().join(format!("connector-pem-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir_all(&folder).unwrap();
    let authority = Authority::new("ours");
    let (one, other) = (
        authority.issue("one", Validity::Now),
        authority.issue("other", Validity::Now),
    );
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let url =
        |file: &str| format!("postgres://u:canary@h/db?sslmode=verify-full&sslrootcert={file}");
    let (certificate, key) = (
        write("one.pem", &one.certificate),
        write("other.key", &other.key),
    );
    let needed = BTreeMap::from([
        (
            "CONNECTOR_BROKER__URL".to_owned(),
            "amqps://u:canary@h".to_owned(),
        ),
        ("CONNECTOR_LEDGER__URL".to_owned(), url(&certificate)),
    ]);
    let cases = [
        (
            vec![("CONNECTOR_BROKER__CA_FILE", write("empty.pem", ""))],
            "broker.ca",
            "the file is empty",
        ),
        (
            vec![("CONNECTOR_BROKER__CA_FILE", key.clone())],
            "broker.ca",
            "no certificate in PEM form",
        ),
        (
            vec![("CONNECTOR_BROKER__CA", certificate.clone())],
            "broker.ca",
            "no certificate in PEM form",
        ),
        (
            vec![(
                "CONNECTOR_BROKER__CLIENT_CERTIFICATE_FILE",
                certificate.clone(),
            )],
            "broker.client_key",
            "given together",
        ),
        (
            vec![
                (
                    "CONNECTOR_BROKER__CLIENT_CERTIFICATE_FILE",
                    certificate.clone(),
                ),
                ("CONNECTOR_BROKER__CLIENT_KEY_FILE", key.clone()),
            ],
            "broker.client_key",
            "not the key of the client certificate",
        ),
        (
            vec![
                ("CONNECTOR_BROKER__CA_FILE", certificate.clone()),
                ("CONNECTOR_BROKER__URL", "amqp://u:canary@h".to_owned()),
            ],
            "broker.ca",
            "broker.url asks for none",
        ),
        (
            vec![("CONNECTOR_LEDGER__URL", url("/nowhere/ca.pem"))],
            "ledger.url",
            "/nowhere/ca.pem cannot be read",
        ),
        (
            vec![("CONNECTOR_LEDGER__URL", url(&write("text.pem", "canary")))],
            "ledger.url",
            "is not PEM",
        ),
    ];
    for (changes, key, problem) in cases {
        let (code, _, told) = run(&["check-config"], &with(&needed, &changes));
        assert_eq!(code, 78, "{told}");
        let about = told
            .split("\n\n")
            .find(|fault| fault.contains(&format!("{key} (")));
        let about = about.unwrap_or_else(|| panic!("{changes:?}: no fault of {key}: {told}"));
        assert!(about.contains(problem), "{problem}: {told}");
        assert!(
            !told.contains("canary") && !told.contains("PRIVATE KEY"),
            "{told}"
        );
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
