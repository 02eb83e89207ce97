//! The checked configuration of a call.

use serde_json::Value;

use crate::spec::gds::{ConfigKey, DefaultValue, Procedure, Support};

use super::graph::{Graph, WeightedGraph};
use super::{Call, EngineError};

/// The configuration of a call after all its keys were checked against the catalogue; reading falls back on
/// the catalogue's defaults.
#[derive(Debug, Clone, Copy)]
pub(super) struct Config<'a> {
    call: &'a Call<'a>,
    node_count: u32,
}

impl<'a> Config<'a> {
    /// Checks mode, keys and values of a call.
    pub(super) fn check(call: &'a Call<'a>, graph: &Graph) -> Result<Self, EngineError> {
        let procedure = call.procedure;
        if !procedure.modes.contains(&call.mode) {
            return Err(EngineError::ModeNotAvailable { procedure: procedure.name, mode: call.mode });
        }
        for (name, value) in call.config {
            let key = procedure.config_key(name).filter(|key| key.modes.contains(&call.mode));
            let key = key.ok_or_else(|| EngineError::UnexpectedKey { name: name.clone() })?;
            check_value(key, value)?;
        }
        let config = Self { call, node_count: graph.node_count() };
        let needed = procedure.config_keys().filter(|key| key.required && key.modes.contains(&call.mode));
        for key in needed {
            if config.value(key.name).is_none() {
                return Err(EngineError::MissingKey { name: key.name });
            }
        }
        Ok(config)
    }

    /// The call that the configuration belongs to.
    pub(super) fn call(&self) -> &'a Call<'a> {
        self.call
    }

    /// The procedure that is called.
    pub(super) fn procedure(&self) -> &'static Procedure {
        self.call.procedure
    }

    /// The value that was given, where null counts as none.
    pub(super) fn value(&self, name: &str) -> Option<&'a Value> {
        self.call.config.get(name).filter(|value| !value.is_null())
    }

    /// An optional integer; none if it is neither given nor has a default.
    pub(super) fn integer(&self, name: &str) -> Option<i64> {
        let given = self.value(name).and_then(Value::as_i64);
        given.or_else(|| match self.default(name) {
            Some(DefaultValue::Integer(default)) => Some(default),
            _ => None,
        })
    }

    /// An integer that counts something: its default if it is not given, and no limit if it has none or is
    /// negative.
    pub(super) fn limit(&self, name: &str) -> usize {
        self.integer(name).and_then(|value| usize::try_from(value).ok()).unwrap_or(usize::MAX)
    }

    /// A number, or the default of the catalogue.
    pub(super) fn number(&self, name: &'static str) -> Result<f64, EngineError> {
        let given = self.value(name).and_then(Value::as_f64);
        let number = given.or_else(|| match self.default(name) {
            Some(DefaultValue::Number(default)) => Some(default),
            _ => None,
        });
        number.ok_or(EngineError::MissingKey { name })
    }

    /// A truth value that is false unless it was given.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.value(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// A text, or the default of the catalogue.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        let given = self.value(name).and_then(Value::as_str);
        given.or_else(|| match self.default(name) {
            Some(DefaultValue::Text(default)) => Some(default),
            _ => None,
        })
    }

    /// The graph with the weights that `relationshipWeightProperty` names.
    pub(super) fn weighted<'g>(&self, graph: &'g Graph) -> Result<WeightedGraph<'g>, EngineError> {
        Ok(graph.weighted(self.text("relationshipWeightProperty"))?)
    }

    /// The node of a required key.
    pub(super) fn node(&self, name: &'static str) -> Result<u32, EngineError> {
        let value = self.value(name).ok_or(EngineError::MissingKey { name })?;
        self.resolve(name, value)
    }

    /// The nodes of an optional key, whose value may be one node or a list.
    pub(super) fn nodes(&self, name: &'static str) -> Result<Vec<u32>, EngineError> {
        match self.value(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(values)) => values.iter().map(|value| self.resolve(name, value)).collect(),
            Some(value) => Ok(vec![self.resolve(name, value)?]),
        }
    }

    fn resolve(&self, name: &'static str, value: &Value) -> Result<u32, EngineError> {
        let number = value.as_u64().ok_or_else(|| EngineError::BadValue {
            name,
            value: value.to_string(),
            allowed: "the index of a node in the graph".to_owned(),
        })?;
        let node = u32::try_from(number).ok().filter(|node| *node < self.node_count);
        node.ok_or(EngineError::NodeNotInGraph { name, node: number })
    }

    fn default(&self, name: &str) -> Option<DefaultValue> {
        self.procedure().config_key(name).and_then(|key| key.default)
    }
}

fn check_value(key: &ConfigKey, value: &Value) -> Result<(), EngineError> {
    if value.is_null() {
        return Ok(());
    }
    if !key.kind.accepts(value) {
        let allowed = key.kind.to_string();
        return Err(EngineError::BadValue { name: key.name, value: value.to_string(), allowed });
    }
    let is_default = key.default.is_some_and(|default| default.to_json() == *value);
    if key.support == Support::OnlyDefault && !is_default {
        return Err(EngineError::NotSupported { name: key.name });
    }
    Ok(())
}
