//! Which API server is meant, and whether services are reached by their names: found out from what was said and from where this
//! process runs.

use std::ffi::OsString;
use std::path::Path;

use kube::config::Kubeconfig;

use super::Access;

/// Where a pod finds what it may say to the API server, and which namespace it is in.
const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// What a process sees of where it runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Here {
    /// The namespace of the pod that this is; none where this is no pod.
    pod: Option<String>,
    /// Whether `KUBECONFIG` names a kubeconfig.
    names_kubeconfig: bool,
    /// The contexts of the kubeconfig that is found without a word on the command line.
    contexts: Vec<String>,
}

/// The API server that is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Server {
    /// That of the cluster that this pod is in, by the pod's own token.
    Own,
    /// That of a kubeconfig which is named, or has the context that is; without a context, of its current one.
    Named {
        /// The context.
        context: Option<String>,
    },
    /// That of whatever kubeconfig there is.
    Usual,
}

/// Which API server is asked, and how services are reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    pub server: Server,
    /// Whether services are reached by their names; by forwards, where they are not.
    pub by_name: bool,
}

impl Here {
    /// Looks around.
    pub fn look() -> Self {
        Self::seen(|name| std::env::var_os(name), Path::new(ACCOUNT), || Kubeconfig::read().ok())
    }

    /// What is seen in these variables, this folder of a service account, and this kubeconfig.
    fn seen(
        variable: impl Fn(&str) -> Option<OsString>,
        account: &Path,
        kubeconfig: impl FnOnce() -> Option<Kubeconfig>,
    ) -> Self {
        let is_pod = variable("KUBERNETES_SERVICE_HOST").is_some() && account.join("token").is_file();
        let namespace = || std::fs::read_to_string(account.join("namespace")).unwrap_or_default();
        let named = variable("KUBECONFIG").unwrap_or_default();
        let contexts = kubeconfig().into_iter().flat_map(|config| config.contexts);
        Self {
            pod: is_pod.then(|| namespace().trim().to_owned()),
            names_kubeconfig: std::env::split_paths(&named).any(|path| !path.as_os_str().is_empty()),
            contexts: contexts.map(|context| context.name).collect(),
        }
    }
}

impl Access {
    /// Chooses for a pipeline in a namespace, whose file may name a context.
    ///
    /// What is named is meant, in a pod, too; only a context that no kubeconfig here has is none in a pod, which may well have the same
    /// file as everybody else. Service names lead from one namespace to itself, and only its own pods are let in: a pod elsewhere
    /// needs forwards like anybody outside.
    pub(super) fn choose(&self, context: Option<&str>, namespace: &str, here: &Here) -> Choice {
        let is_named = self.kubeconfig.is_some() || self.context.is_some() || here.names_kubeconfig;
        let is_known = context.is_some_and(|name| here.contexts.iter().any(|known| known == name));
        let is_pod = self.in_cluster || here.pod.is_some();
        let context = self.context.clone().or_else(|| context.map(str::to_owned));
        let server = match context {
            _ if is_pod && !is_named && !is_known => Server::Own,
            None if !is_named => Server::Usual,
            context => Server::Named { context },
        };
        let is_at_home = server == Server::Own && here.pod.as_deref() == Some(namespace);
        Choice { server, by_name: self.in_cluster || is_at_home }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn laptop() -> Here {
        Here { contexts: vec!["production".to_owned()], ..Here::default() }
    }

    /// A pod without any kubeconfig.
    fn pod(namespace: &str) -> Here {
        Here { pod: Some(namespace.to_owned()), ..Here::default() }
    }

    fn own(by_name: bool) -> Choice {
        Choice { server: Server::Own, by_name }
    }

    fn named(context: Option<&str>, by_name: bool) -> Choice {
        Choice { server: Server::Named { context: context.map(str::to_owned) }, by_name }
    }

    #[test]
    fn outside_of_a_cluster_a_kubeconfig_leads_to_it_and_forwards_to_its_services() {
        let access = Access::default();
        assert_eq!(access.choose(None, "trips", &laptop()), Choice { server: Server::Usual, by_name: false });
        assert_eq!(access.choose(Some("production"), "trips", &laptop()), named(Some("production"), false));
        // One that is not there is told, not passed over.
        assert_eq!(access.choose(Some("prodution"), "trips", &laptop()), named(Some("prodution"), false));
        let flag = Access { context: Some("test".to_owned()), ..Access::default() };
        assert_eq!(flag.choose(Some("production"), "trips", &laptop()), named(Some("test"), false));
        let file = Access { kubeconfig: Some("kubeconfig".into()), ..Access::default() };
        assert_eq!(file.choose(None, "trips", &laptop()), named(None, false));
    }

    #[test]
    fn a_pod_asks_its_own_cluster_and_only_one_of_the_namespace_uses_names() {
        let access = Access::default();
        assert_eq!(access.choose(None, "trips", &pod("trips")), own(true));
        assert_eq!(access.choose(None, "trips", &pod("ci")), own(false));
        // A context that no kubeconfig here has is that of others, who have the same file.
        assert_eq!(access.choose(Some("production"), "trips", &pod("trips")), own(true));
    }

    #[test]
    fn a_pod_asks_another_cluster_where_one_is_named() {
        let with_kubeconfig = Here { names_kubeconfig: true, ..pod("trips") };
        assert_eq!(Access::default().choose(None, "trips", &with_kubeconfig), named(None, false));
        let with_context = Here { contexts: vec!["production".to_owned()], ..pod("trips") };
        let access = Access::default();
        assert_eq!(
            access.choose(Some("production"), "trips", &with_context),
            named(Some("production"), false)
        );
        assert_eq!(access.choose(None, "trips", &with_context), own(true));
        let flag = Access { context: Some("test".to_owned()), ..Access::default() };
        assert_eq!(flag.choose(None, "trips", &pod("trips")), named(Some("test"), false));
    }

    #[test]
    fn a_pod_of_a_run_is_told_that_names_lead_to_the_servers() {
        let told = Access { in_cluster: true, ..Access::default() };
        assert_eq!(told.choose(Some("production"), "trips", &pod("trips")), own(true));
        assert_eq!(told.choose(None, "trips", &Here::default()), own(true));
        let file = Access { kubeconfig: Some("kubeconfig".into()), ..told };
        assert_eq!(file.choose(None, "trips", &Here::default()), named(None, true));
    }

    #[test]
    fn a_pod_is_known_by_its_variable_and_its_token() {
        let account = tempfile::tempdir().unwrap();
        let seen = |names: &[&str]| {
            let variable = |name: &str| names.contains(&name).then(|| OsString::from("10.0.0.1"));
            Here::seen(variable, account.path(), || None)
        };
        assert_eq!(seen(&["KUBERNETES_SERVICE_HOST"]), Here::default(), "it was given no token");
        std::fs::write(account.path().join("token"), "a").unwrap();
        std::fs::write(account.path().join("namespace"), "ci\n").unwrap();
        assert_eq!(seen(&["KUBERNETES_SERVICE_HOST"]), pod("ci"));
        assert_eq!(seen(&[]), Here::default());
        assert!(seen(&["KUBECONFIG"]).names_kubeconfig);
    }

    #[test]
    fn a_kubeconfig_is_known_by_its_contexts_and_an_empty_variable_names_none() {
        let contexts = "contexts: [{ name: production, context: { cluster: a, user: b } }]";
        let seen = Here::seen(
            |name| (name == "KUBECONFIG").then(OsString::new),
            Path::new("nowhere"),
            || Kubeconfig::from_yaml(contexts).ok(),
        );
        assert_eq!(seen, laptop());
    }
}
